import { createHash } from 'node:crypto';
import { appendFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkpointId } from './checkpoint-id.ts';
import {
  newDirectory,
  refusal,
  safetensorsFile,
  smallCheckpoint,
  type Tree,
  writeTree,
} from './fixture.spec-support.ts';
import { openCheckpoint } from './open-checkpoint.ts';

const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex');
const idOf = async (directory: string) => checkpointId(await openCheckpoint(directory));

describe('checkpointId', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await newDirectory();
    await writeTree(directory, smallCheckpoint());
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('is the hash of the sorted list that its description gives', async () => {
    const files = smallCheckpoint();
    const weights = /[^/]+\.safetensors$/;
    const lines = Object.entries(files).map(
      ([path, data]) => `${sha256(data)}  ${path.replace(weights, 'weights/1 of 1')}\n`,
    );
    expect(await idOf(directory)).toBe(`sha256:${sha256(['lethe checkpoint 1\n', ...lines.sort()].join(''))}`);
  });

  it('is that of the reference checkpoint', async () => {
    expect(await idOf('checkpoint/emoji-sd')).toBe(
      'sha256:5f97c74faba1ef17cd6d7b3141e7820284523b70452f9e11c3e44dd0bdd45138',
    );
  });

  it('changes with every file that is read', async () => {
    const before = await idOf(directory);
    for (const [path, content] of Object.entries(smallCheckpoint())) {
      const other: Tree[string] =
        typeof content === 'string' ? `${content} ` : safetensorsFile([{ name: 'other', dtype: 'F16', shape: [2, 3] }]);
      await writeFile(join(directory, path), other);
      expect(await idOf(directory), path).not.toBe(before);
      await writeFile(join(directory, path), content);
    }
    expect(await idOf(directory)).toBe(before);
  });

  it('does not change with the directory, links, names of weights and files that are not read', async () => {
    const before = await idOf(directory);
    const unet = join(directory, 'unet');
    await appendFile(join(directory, 'README.md'), 'hello');
    await rename(join(unet, 'diffusion_pytorch_model.safetensors'), join(directory, 'blob'));
    await symlink('../blob', join(unet, 'diffusion_pytorch_model.fp16.safetensors'));
    const link = `${directory}-link`;
    await symlink(directory, link);
    try {
      expect(await idOf(link)).toBe(before);
    } finally {
      await rm(link);
    }
  });

  it('tells a part from the same bytes in another part', async () => {
    const before = await idOf(directory);
    const { 'unet/config.json': unet = '', 'vae/config.json': vae = '' } = smallCheckpoint();
    await writeTree(directory, { 'unet/config.json': vae, 'vae/config.json': unet });
    expect(await idOf(directory)).not.toBe(before);
  });

  it('names a file that went away', async () => {
    const checkpoint = await openCheckpoint(directory);
    await rm(join(directory, 'tokenizer', 'vocab.json'));
    expect(await refusal(() => checkpointId(checkpoint))).toMatch(/^checkpoint-layout: .*vocab\.json/);
  });
});
