import { open } from 'node:fs/promises';
import type { Checkpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { safetensorsHeader } from '../../shared/checkpoint/write-safetensors.ts';
import type { Fill } from './fill-pruned.ts';
import { filledBytes, prunedTensors } from './pruned-tensors.ts';
import type { Pruning } from './pruning.ts';

/**
 * Writes the weight matrices that a mask changes, filled, as one safetensors file, a tensor at a time. They are named
 * `unet.<name>` and `text_encoder.<name>`, by their names in the checkpoint, and keep their dtypes. Returns their number.
 *
 * @param metadata of the file
 */
export async function exportTensors(
  checkpoint: Checkpoint,
  pruning: Pruning,
  fill: Fill,
  metadata: Readonly<Record<string, string>>,
  path: string,
): Promise<number> {
  const tensors = prunedTensors(checkpoint, pruning);
  const described = tensors.map(({ name, location: { dtype, shape, begin, end } }) => {
    return { name, dtype, shape, length: end - begin };
  });
  const file = await open(path, 'wx');
  try {
    await file.writeFile(safetensorsHeader(described, metadata));
    for (const tensor of tensors) await file.writeFile(await filledBytes(tensor, fill));
    await file.sync();
  } finally {
    await file.close();
  }
  return tensors.length;
}
