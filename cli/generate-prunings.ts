import { checkpointId } from '../shared/checkpoint/checkpoint-id.ts';
import type { Checkpoint } from '../shared/checkpoint/open-checkpoint.ts';
import { type Mask, uniteMasks } from '../shared/mask/mask.ts';
import { type MaskUse, type Pruning, pruningOf, unpruned } from '../worker/prune/pruning.ts';
import type { FleetSettings } from './fleet/fleet-settings.ts';
import { readMasks } from './fleet/read-masks.ts';

/** A way to prune a checkpoint, and the hashes of the masks that say so. */
export interface MaskedRun {
  readonly hashes: readonly string[];
  /** For people. */
  readonly title: string;
  readonly pruning: Pruning;
}

/**
 * What images are to be made with: all masks together; or, to `compare`, none, and then each by itself.
 *
 * @param names files, hashes or the beginnings of them, concepts
 * @throws LetheError `mask-missing`, `mask-invalid`, `safetensors-invalid`, or `mask-mismatch` for another checkpoint.
 */
export async function pruningsOf(
  names: readonly string[],
  compare: boolean,
  use: MaskUse,
  checkpoint: Checkpoint,
  settings: FleetSettings,
): Promise<readonly MaskedRun[]> {
  const none = { hashes: [], title: 'before', pruning: unpruned };
  if (names.length === 0) return [none];
  const id = await checkpointId(checkpoint);
  const masks = await readMasks(names, settings);
  const each = masks.map(({ hash, mask }) => ({
    hashes: [hash],
    title: titleOf(mask),
    pruning: pruningOf(mask, checkpoint, id, use),
  }));
  if (compare) return [none, ...each];
  const united = uniteMasks(masks.map(({ mask }) => mask));
  return [
    { hashes: masks.map(({ hash }) => hash), title: titleOf(united), pruning: pruningOf(united, checkpoint, id, use) },
  ];
}

function titleOf({ parts }: Mask): string {
  return `without ${parts.map(({ concept }) => concept).join(', ')}`;
}
