import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { checkpointId } from '../shared/checkpoint/checkpoint-id.ts';
import type { Checkpoint } from '../shared/checkpoint/open-checkpoint.ts';
import { decodeMask, maskInvalid, maskName } from '../shared/mask/mask-file.ts';
import { type Mask, uniteMasks } from '../shared/mask/mask.ts';
import { type Pruning, pruningOf, unpruned } from '../worker/prune/pruning.ts';
import type { FleetSettings } from './fleet/fleet-settings.ts';
import { MaskShelf } from './fleet/mask-shelf.ts';
import { findFleet } from './fleet/open-fleet.ts';

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
    pruning: pruningOf(mask, checkpoint, id),
  }));
  if (compare) return [none, ...each];
  const united = uniteMasks(masks.map(({ mask }) => mask));
  return [
    { hashes: masks.map(({ hash }) => hash), title: titleOf(united), pruning: pruningOf(united, checkpoint, id) },
  ];
}

function titleOf({ parts }: Mask): string {
  return `without ${parts.map(({ concept }) => concept).join(', ')}`;
}

interface NamedMask {
  readonly hash: string;
  readonly mask: Mask;
}

async function readMasks(names: readonly string[], settings: FleetSettings): Promise<readonly NamedMask[]> {
  const client = await findFleet(settings);
  const shelf = new MaskShelf(settings.data, client);
  try {
    const masks: NamedMask[] = [];
    for (const name of names) {
      const file = await readMaskFile(name);
      const hash = file?.hash ?? (await shelf.find(name)).hash;
      masks.push({ hash, mask: file?.mask ?? (await shelf.read(hash)) });
    }
    return masks;
  } finally {
    client?.close();
  }
}

/** Undefined if there is no such file. A file that is named for a hash has to have it. */
async function readMaskFile(path: string): Promise<NamedMask | undefined> {
  const bytes = await readFile(path).catch(() => undefined);
  if (bytes === undefined) return undefined;
  const hash = maskName(bytes);
  const expected = /^[0-9a-f]{64}/.exec(basename(path))?.[0];
  if (expected !== undefined && expected !== hash) throw maskInvalid(path, `its bytes hash to ${hash}`);
  return { hash, mask: decodeMask(bytes) };
}
