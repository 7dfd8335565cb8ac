import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkpointId } from '../shared/checkpoint/checkpoint-id.ts';
import { type Checkpoint, openCheckpoint } from '../shared/checkpoint/open-checkpoint.ts';

/** Folder of emoji-sd, the reference checkpoint: beside dist/ in a checkout and in the package. */
export const emojiSdDirectory = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'checkpoint', 'emoji-sd');

/** Sampling settings that suit a checkpoint. */
export interface SuggestedSampling {
  readonly steps: number;
  readonly guidance: number;
}

/** What diffusers' pipelines default to. */
const usual: SuggestedSampling = { steps: 50, guidance: 7.5 };

/** From emoji-sd's model card: colours break at a guidance of 5 and above. */
const emojiSd: SuggestedSampling = { steps: 25, guidance: 2.5 };

/** Settings for a checkpoint nobody gave any for. emoji-sd is recognised by its id, wherever else it lies. */
export async function suggestedSampling(checkpoint: Checkpoint): Promise<SuggestedSampling> {
  if (checkpoint.directory === emojiSdDirectory) return emojiSd;
  const reference = await openCheckpoint(emojiSdDirectory).catch(() => undefined);
  if (reference === undefined) return usual;
  const sizeOf = ({ unet }: Checkpoint) => unet.weights.files.reduce((sum, file) => sum + file.size, 0);
  // Hashing gigabytes to learn that a checkpoint is not emoji-sd would be a waste: its size tells.
  if (sizeOf(checkpoint) !== sizeOf(reference)) return usual;
  return (await checkpointId(checkpoint)) === (await checkpointId(reference)) ? emojiSd : usual;
}
