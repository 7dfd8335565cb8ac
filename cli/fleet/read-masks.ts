import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { readSpan, withRegularFile } from '../../shared/checkpoint/regular-file.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { maskSizeLimit } from '../../shared/mask/mask-storage.ts';
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
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || found.isDirectory()) return undefined;
  const refuse = (why: string) => maskInvalid(path, why);
  const bytes = await withRegularFile(path, refuse, (file, size) => {
    if (size > maskSizeLimit) throw refuse(`it has ${size} bytes; at most ${maskSizeLimit} are read`);
    return readSpan(file, 0, size);
  });
  const hash = maskName(bytes);
  const expected = /^[0-9a-f]{64}/.exec(basename(path))?.[0];
  if (expected !== undefined && expected !== hash) throw maskInvalid(path, `its bytes hash to ${hash}`);
  try {
    return { hash, mask: decodeMask(bytes) };
  } catch (error) {
    // The bytes alone do not know which file they are.
    throw error instanceof LetheError ? error.at([path, error.where].filter(Boolean).join(': ')) : error;
  }
}
