import { chmod, cp, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkpointId } from '../../shared/checkpoint/checkpoint-id.ts';
import {
  changedCheckpoint,
  type CheckpointChanges,
  type FixtureTensor,
  newDirectory,
  safetensorsFile,
} from '../../shared/checkpoint/fixture.spec-support.ts';
import { type Checkpoint, openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { readSafetensors } from '../../shared/checkpoint/read-safetensors.ts';
import { readTensor, readTensorAt } from '../../shared/checkpoint/read-tensor.ts';
import { hasBit } from '../../shared/tensor/bit-matrix.ts';
import { emojiSd } from '../diffusion/emoji-sd.spec-support.ts';
import { exportCheckpoint } from './export-checkpoint.ts';
import { writeExportNotes } from './export-notes.ts';
import { exportTensors } from './export-tensors.ts';
import { maskWith, siteLayers, someBits } from './masks.spec-support.ts';
import { type Pruning, pruningOf, unpruned } from './pruning.ts';
import { ServingModel } from './serving-model.ts';

let root: string;
let source: string;
let target: string;
beforeEach(async () => {
  root = await newDirectory();
  [source, target] = [join(root, 'source'), join(root, 'target')];
  await mkdir(source);
});
afterEach(() => rm(root, { recursive: true }));

const halves = (count: number): Uint8Array =>
  new Uint8Array(Uint16Array.from({ length: count }, (_, i) => 0x2400 + i).buffer);
const matrix = (name: string, dtype: 'F16' | 'F32' = 'F16'): FixtureTensor => {
  const data = dtype === 'F16' ? halves(60) : new Uint8Array(Float32Array.from(halves(60)).buffer.slice(0, 240));
  return { name: `${name}.weight`, dtype, shape: [6, 10], data };
};
const blocks = [0, 1].map((i) => `down_blocks.${i}.attentions.0.transformer_blocks.0`);
const other: FixtureTensor = { name: 'conv_in.weight', dtype: 'F16', shape: [3], data: halves(3) };

/** A UNet in two shards, with the files of another variant, a pickle and a single file beside them. */
const sharded: CheckpointChanges = {
  'unet/diffusion_pytorch_model.safetensors': undefined,
  'unet/diffusion_pytorch_model.safetensors.index.json': JSON.stringify({
    weight_map: {
      [`${blocks[0]}.ff.net.2.weight`]: 'one.safetensors',
      [`${blocks[1]}.ff.net.2.weight`]: 'two.safetensors',
    },
  }),
  'unet/one.safetensors': safetensorsFile([matrix(`${blocks[0]}.ff.net.2`), other], { from: 'somebody' }),
  'unet/two.safetensors': safetensorsFile([
    { name: 'odd', dtype: 'U8', shape: [3] },
    matrix(`${blocks[1]}.ff.net.2`, 'F32'),
    matrix(`${blocks[1]}.attn2.to_v`),
  ]),
  'unet/diffusion_pytorch_model.fp16.safetensors': safetensorsFile([matrix(`${blocks[0]}.ff.net.2`)]),
  'unet/diffusion_pytorch_model.bin': 'a pickle',
  'unet/fp16/x.safetensors': 'another variant',
  'unet/onnx/model.onnx': 'a graph',
  'unet/onnx/about.md': 'about the graph',
  'v1.ckpt': 'a pickle',
  'README.md': 'about',
  'safety_checker/pytorch_model.bin': 'not pruned, so as it is',
  '.cache/x': 'of a hub',
};

async function opened(changes: CheckpointChanges): Promise<{ checkpoint: Checkpoint; pruning: Pruning }> {
  const checkpoint = await openCheckpoint(await changedCheckpoint(source, changes));
  const id = await checkpointId(checkpoint);
  const layers = (['ffn2', 'attn-value'] as const).flatMap((site, i) => siteLayers(checkpoint, site, someBits(i, 3)));
  return { checkpoint, pruning: pruningOf(maskWith(id, layers), checkpoint, id) };
}

/** Every weight of the UNet that differs is a pruned one, and all of those are 0, or none is. */
async function requirePruned(before: Checkpoint, after: Checkpoint, pruning: Pruning, zero: boolean): Promise<void> {
  let compared = 0;
  for (const [name, location] of before.unet.weights.tensors) {
    const own = after.unet.weights.tensors.get(name);
    if (own === undefined) throw new Error(`${name} is missing`);
    expect(own).toMatchObject({ dtype: location.dtype, shape: location.shape, name: location.name });
    const [old, now] = [await readTensorAt(location.file, location), await readTensorAt(own.file, own)];
    const change = pruning.unet.get(name);
    for (let i = 0; i < old.data.length; i++) {
      const isPruned = change?.kind === 'always' && hasBit(change.set, Math.floor(i / 10), i % 10);
      if (!isPruned) expect(now.data[i]).toBe(old.data[i]);
      else if (zero) expect(now.data[i]).toBe(0);
      else expect(now.data[i]).not.toBe(0);
      compared += 1;
    }
  }
  expect(compared).toBeGreaterThan(120);
}

describe('an exported checkpoint', () => {
  it.each(['zero', 'noise'] as const)('of shards, filled with %s: the same tensors in the same files', async (kind) => {
    const { checkpoint, pruning } = await opened(sharded);
    const fill = kind === 'zero' ? ({ kind } as const) : ({ kind, seed: 's' } as const);
    expect(await exportCheckpoint(checkpoint, pruning, fill, 'copy', target)).toEqual({
      tensors: 3,
      leftOut: [
        'unet/diffusion_pytorch_model.bin',
        'unet/diffusion_pytorch_model.fp16.safetensors',
        'unet/fp16/x.safetensors',
        'unet/onnx/model.onnx',
        'v1.ckpt',
      ],
    });
    const after = await openCheckpoint(target);
    await requirePruned(checkpoint, after, pruning, kind === 'zero');
    expect((await readSafetensors(join(target, 'unet/one.safetensors'))).metadata.get('from')).toBe('somebody');
    for (const same of [
      'unet/config.json',
      'model_index.json',
      'README.md',
      'unet/onnx/about.md',
      'safety_checker/pytorch_model.bin',
    ])
      expect(await readFile(join(target, same))).toEqual(await readFile(join(source, same)));
    expect(await readdir(target)).not.toContain('.cache');
    // The source is what it was.
    await requirePruned(await openCheckpoint(source), checkpoint, unpruned, true);
  });

  it('of a variant has that variant alone, and is opened without naming it', async () => {
    const weights = [matrix(`${blocks[0]}.ff.net.2`), matrix('x'), matrix('y')];
    const { checkpoint, pruning } = await opened({
      'unet/diffusion_pytorch_model.safetensors': undefined,
      'unet/diffusion_pytorch_model.fp16.safetensors': safetensorsFile(weights),
    });
    await exportCheckpoint(checkpoint, pruning, { kind: 'zero' }, 'copy', target);
    const after = await openCheckpoint(target);
    expect(after.unet.weights.variant).toBe('fp16');
    await requirePruned(checkpoint, after, pruning, true);
  });

  it('of files that nobody may write, as caches of hubs have them, can be written', async () => {
    const { checkpoint, pruning } = await opened(sharded);
    for (const name of ['one', 'two']) await chmod(join(source, `unet/${name}.safetensors`), 0o444);
    await exportCheckpoint(checkpoint, pruning, { kind: 'zero' }, 'copy', target);
    expect((await stat(join(target, 'unet/one.safetensors'))).mode & 0o777).toBe(0o644);
    await requirePruned(checkpoint, await openCheckpoint(target), pruning, true);
  });

  it('links what does not change, if that is asked for, and never what does', async () => {
    const { checkpoint, pruning } = await opened(sharded);
    await exportCheckpoint(checkpoint, pruning, { kind: 'zero' }, 'link', target);
    const inode = async (path: string) => (await stat(path)).ino;
    for (const [name, linked] of [
      ['README.md', true],
      ['vae/diffusion_pytorch_model.safetensors', true],
      ['unet/one.safetensors', false],
      ['unet/two.safetensors', false],
    ] as const)
      expect((await inode(join(source, name))) === (await inode(join(target, name)))).toBe(linked);
  });

  it.each(['copy', 'link'] as const)('follows no link out of the checkpoint, by %s', async (how) => {
    const { checkpoint, pruning } = await opened(sharded);
    const secret = join(root, 'secret.txt');
    await writeFile(secret, 'a secret');
    await symlink(secret, join(source, 'vae', 'notes.txt'));
    await expect(exportCheckpoint(checkpoint, pruning, { kind: 'zero' }, how, target)).rejects.toMatchObject({
      code: 'checkpoint-layout',
      where: join('vae', 'notes.txt'),
      why: expect.stringContaining('secret.txt') as string,
    });
  });

  it.each([
    ['../unet', 'a link to the folder'],
    ['gone', 'a link to gone, which is not there'],
  ])('follows no link to %s', async (to, why) => {
    const { checkpoint, pruning } = await opened(sharded);
    await symlink(to, join(source, 'unet', 'loop'));
    await expect(exportCheckpoint(checkpoint, pruning, { kind: 'zero' }, 'copy', target)).rejects.toMatchObject({
      code: 'checkpoint-layout',
      where: join('unet', 'loop'),
      why: expect.stringContaining(why) as string,
    });
  });

  it('that is exported again by links leaves the notes and the card of the first as they are', async () => {
    const first = { 'lethe.json': '{"of": "the first"}', 'README.md': '# The first' };
    const { checkpoint, pruning } = await opened({ ...sharded, ...first });
    await exportCheckpoint(checkpoint, pruning, { kind: 'zero' }, 'link', target);
    await writeExportNotes(target, { lethe: '1', checkpoint: 'x', fill: 'noise', masks: [] });
    for (const [name, text] of Object.entries(first)) expect(await readFile(join(source, name), 'utf8')).toBe(text);
    expect(await readFile(join(target, 'lethe.json'), 'utf8')).toContain('"noise"');
  });

  it('follows the links of a snapshot of a hub cache into its blobs', async () => {
    const cache = join(root, 'models--x');
    const { checkpoint: plain } = await opened(sharded);
    const snapshot = join(cache, 'snapshots', 'main');
    await mkdir(join(cache, 'blobs'), { recursive: true });
    await mkdir(join(cache, 'snapshots'));
    await cp(plain.directory, snapshot, { recursive: true });
    await rename(join(snapshot, 'README.md'), join(cache, 'blobs', 'readme'));
    await symlink(join('..', '..', 'blobs', 'readme'), join(snapshot, 'README.md'));
    const checkpoint = await openCheckpoint(snapshot);
    await exportCheckpoint(checkpoint, unpruned, { kind: 'zero' }, 'copy', target);
    expect(await readFile(join(target, 'README.md'), 'utf8')).not.toBe('');
  });

  it('gives the images that are served with the mask, in every bit', async () => {
    const checkpoint = await openCheckpoint(emojiSd);
    const id = await checkpointId(checkpoint);
    const layers = (['ffn1', 'ffn2', 'attn-key', 'text'] as const).flatMap((site, i) =>
      siteLayers(checkpoint, site, someBits(i, 9)),
    );
    const mask = maskWith(id, layers);
    await exportCheckpoint(checkpoint, pruningOf(mask, checkpoint, id), { kind: 'zero' }, 'link', target);
    const after = await openCheckpoint(target);
    const image = async (from: Checkpoint, of: string, given: typeof mask | undefined) => {
      const serving = await ServingModel.open(from, of, { provider: 'cpu', threads: 1 });
      const sampling = { scheduler: 'euler', steps: 2, guidance: 2.5, height: 8, width: 8 } as const;
      const prepared = await serving.prepare(given);
      const [made] = await serving.generate(prepared, sampling, [{ prompt: 'a cat', seed: 1n }], 1, () => undefined);
      await serving.close();
      return made?.image;
    };
    const served = await image(checkpoint, id, mask);
    expect(await image(after, await checkpointId(after), undefined)).toEqual(served);
    expect(await image(checkpoint, id, undefined)).not.toEqual(served);
  });
});

describe('exported tensors', () => {
  it('are those that differ, under their names, in their dtypes', async () => {
    const { checkpoint, pruning } = await opened(sharded);
    const path = join(root, 'changed.safetensors');
    expect(await exportTensors(checkpoint, pruning, { kind: 'zero' }, { masks: 'a' }, path)).toBe(3);
    await exportCheckpoint(checkpoint, pruning, { kind: 'zero' }, 'copy', target);
    const { unet } = await openCheckpoint(target);
    const file = await readSafetensors(path);
    expect(file.metadata.get('masks')).toBe('a');
    expect([...file.tensors.keys()]).toEqual([...pruning.unet.keys()].map((name) => `unet.${name}`).sort());
    for (const name of pruning.unet.keys()) {
      const location = unet.weights.tensors.get(name);
      if (location === undefined) throw new Error(name);
      expect(await readTensor(file, `unet.${name}`)).toEqual(await readTensorAt(location.file, location));
    }
  });
});
