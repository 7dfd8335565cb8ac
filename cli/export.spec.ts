import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { checkpointId } from '../shared/checkpoint/checkpoint-id.ts';
import { type Checkpoint, openCheckpoint } from '../shared/checkpoint/open-checkpoint.ts';
import { readSafetensors } from '../shared/checkpoint/read-safetensors.ts';
import { decodeMask, encodeMask, maskName } from '../shared/mask/mask-file.ts';
import { type Mask, uniteMasks } from '../shared/mask/mask.ts';
import { emojiSd } from '../worker/diffusion/emoji-sd.spec-support.ts';
import { maskWith, siteLayers, someBits } from '../worker/prune/masks.spec-support.ts';
import { lethe } from './run-command.spec-support.ts';

let checkpoint: Checkpoint;
let masks: readonly Mask[];
let folder: string;
let files: readonly string[];
beforeAll(async () => {
  checkpoint = await openCheckpoint(emojiSd);
  const id = await checkpointId(checkpoint);
  masks = [1, 2].map((seed) =>
    maskWith(
      id,
      [
        ...siteLayers(checkpoint, 'ffn2', someBits(seed, 10), [someBits(seed + 2, 20)]),
        ...siteLayers(checkpoint, 'attn-value', someBits(seed, 10)),
      ],
      [401],
    ),
  );
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lethe-export-'));
  files = masks.map((_, i) => join(folder, `mask${i}.safetensors`));
  for (const [i, mask] of masks.entries()) await writeFile(files[i] ?? '', encodeMask(mask));
});
afterEach(() => rm(folder, { recursive: true }));

const generate = async (name: string, ...args: readonly string[]): Promise<Buffer> => {
  const out = join(folder, name);
  const sampling = ['--scheduler', 'euler', '--steps', '2', '--guidance', '2.5', '--prompt', 'a cat', '--out', out];
  const { code, stderr } = await lethe(['generate', ...sampling, ...args]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return readFile(out);
};

describe('lethe export', () => {
  it('of several masks gives a checkpoint that makes the images that the masks make', async () => {
    const out = join(folder, 'pruned');
    const { code, stdout } = await lethe(['export', out, '--mask', ...files, '--json']);
    expect({ code, report: JSON.parse(stdout) as unknown }).toMatchObject({
      code: 0,
      report: {
        out,
        as: 'checkpoint',
        fill: 'zero',
        leftOut: [],
        masks: masks.map((mask) => maskName(encodeMask(mask))),
      },
    });
    expect(JSON.parse(await readFile(join(out, 'lethe.json'), 'utf8'))).toMatchObject({ fill: 'zero' });
    expect(await readFile(join(out, 'README.md'), 'utf8')).toContain('## Pruned with Lethe');
    expect((await readdir(out, { recursive: true })).filter((name) => name.endsWith('.png'))).toEqual([]);
    const exported = await generate('exported.png', '--checkpoint', out);
    expect(exported.equals(await generate('masked.png', '--mask', ...files))).toBe(true);
    expect(exported.equals(await generate('timestep.png', '--per-timestep', '--mask', ...files))).toBe(false);
  });

  it('writes noise where it is asked for: no weight is 0 that was not, and a seed gives it again', async () => {
    const outs = ['a', 'b', 'c'].map((name) => join(folder, `${name}.safetensors`));
    for (const [i, seed] of ['1', '1', '2'].entries()) {
      const noise = ['--as', 'tensors', '--fill', 'noise', '--seed', seed];
      expect((await lethe(['export', outs[i] ?? '', '--mask', files[0] ?? '', ...noise])).code).toBe(0);
    }
    const [a, b, c] = await Promise.all(outs.map((out) => readFile(out)));
    expect(a?.equals(b ?? Buffer.of())).toBe(true);
    expect(a?.equals(c ?? Buffer.of())).toBe(false);
    const { tensors } = await readSafetensors(outs[0] ?? '');
    expect([...tensors.keys()]).toEqual(masks[0]?.layers.map(({ name }) => `unet.${name}.weight`));
    for (const { begin, end } of tensors.values()) {
      const halves = new Uint16Array(Uint8Array.from(a?.subarray(begin, end) ?? []).buffer);
      expect(halves.every((bits) => (bits & 0x7fff) !== 0)).toBe(true);
    }
  });

  it('writes the masks as one, in the format of masks', async () => {
    const out = join(folder, 'union.safetensors');
    expect((await lethe(['export', out, '--as', 'mask', '--mask', ...files])).code).toBe(0);
    expect(decodeMask(await readFile(out))).toEqual(uniteMasks(masks));
  });

  it.each([
    [
      'a folder with something in it',
      'usage',
      async (out: string) => {
        await mkdir(out);
        await writeFile(join(out, 'mine'), '');
      },
    ],
    ['a file', 'usage', (out: string) => writeFile(out, 'mine')],
  ] as const)('refuses %s, and leaves it as it is', async (_, code, make) => {
    const out = join(folder, 'out');
    await make(out);
    const before = await readdir(folder, { recursive: true });
    const made = await lethe(['export', out, '--mask', files[0] ?? '', '--json']);
    expect({ exit: made.code, ...(JSON.parse(made.stdout) as object) }).toMatchObject({ exit: 2, error: { code } });
    expect(await readdir(folder, { recursive: true })).toEqual(before);
  });

  it('leaves nothing behind where it fails, and says what to do', async () => {
    const other = join(folder, 'other.safetensors');
    await writeFile(other, encodeMask({ ...(masks[0] ?? uniteMasks(masks)), checkpoint: 'sha256:other' }));
    const before = await readdir(folder);
    for (const [out, mask, code] of [
      [join(folder, 'out'), other, 'mask-mismatch'],
      [join(folder, 'nowhere', 'out'), files[0] ?? '', 'write-failed'],
      [join(folder, 'out'), join(folder, 'none'), 'mask-missing'],
    ] as const) {
      const made = await lethe(['export', out, '--mask', mask, '--as', 'tensors', '--json', '--data', folder]);
      expect(JSON.parse(made.stdout)).toMatchObject({ error: { code } });
      expect(await readdir(folder)).toEqual(before);
    }
  });
});
