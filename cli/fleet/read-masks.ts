import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { decodeMask, maskInvalid, maskName } from '../../shared/mask/mask-file.ts';
import type { Mask } from '../../shared/mask/mask.ts';
import type { FleetSettings } from './fleet-settings.ts';
import { MaskShelf, masksIn } from './mask-shelf.ts';
import { findFleet } from './open-fleet.ts';

/** A mask and the hash of its bytes. */
export interface NamedMask {
  readonly hash: string;
  readonly mask: Mask;
}

/**
 * The masks that a command was given.
 *
 * @param names files, hashes or the beginnings of them, concepts
 * @throws LetheError `mask-missing`, `mask-invalid`, `safetensors-invalid`.
 */
export async function readMasks(names: readonly string[], settings: FleetSettings): Promise<readonly NamedMask[]> {
  const client = await findFleet(settings);
  const shelf = new MaskShelf(masksIn(settings.data), client);
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
