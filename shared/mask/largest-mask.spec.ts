import { afterEach, beforeEach, expect, it } from 'vitest';
import { changedCheckpoint, newDirectory, safetensorsFile } from '../checkpoint/fixture.spec-support.ts';
import { rm } from 'node:fs/promises';
import { openCheckpoint } from '../checkpoint/open-checkpoint.ts';
import { largestMask } from './largest-mask.ts';

let directory: string;
beforeEach(async () => {
  directory = await newDirectory();
});
afterEach(() => rm(directory, { recursive: true }));

/** Of a checkpoint with one layer to prune in the UNet, and one in the text encoder. */
async function limit(rows: number): Promise<number> {
  const file = (name: string, shape: readonly number[]) =>
    safetensorsFile([
      { name: `${name}.weight`, dtype: 'F16', shape },
      { name: 'other.weight', dtype: 'F16', shape: [9, 9] },
    ]);
  const block = 'down_blocks.0.attentions.0.transformer_blocks.0';
  await changedCheckpoint(directory, {
    'unet/diffusion_pytorch_model.safetensors': file(`${block}.ff.net.2`, [rows, 10]),
    'text_encoder/model.safetensors': file('text_model.encoder.layers.0.mlp.fc2', [3, 8]),
  });
  return largestMask(await openCheckpoint(directory));
}

it('holds every set of every layer, packed, and no more than is ever read', async () => {
  expect(await limit(6)).toBe(2001 * (6 * 2 + 3 * 1) + 4 * 1024 * 1024);
  expect(await limit(1_000_000)).toBe(2 ** 31 - 1);
});
