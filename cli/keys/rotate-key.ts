import { readFile, rename, rm } from 'node:fs/promises';
import { z } from 'zod';
import { keyInvalid, writeKeyFile } from '../../shared/manifest/key-file.ts';
import { keyIdSchema } from '../../shared/manifest/signing-key.ts';
import { createSigningKey, readSigningKey } from '../../shared/manifest/signing-key.ts';
import { isThere, type KeyFolder, trustedKeys, withState, writeTrustList } from './key-folder.ts';

/** What is on disk when a rotation has come so far. */
export type RotationStep =
  /** A new key is made, and lies beside the one that signs. */
  | 'made'
  /** It is noted which key takes the place of which. */
  | 'noted'
  /** The trust list holds both as active. */
  | 'trusted'
  /** The new key signs. */
  | 'installed'
  /** Every manifest is signed by the new key. */
  | 'signed'
  /** The old key is retired. */
  | 'retired';

const noteSchema = z.strictObject({ from: keyIdSchema, to: keyIdSchema });

/**
 * Puts a new signing key in the place of the one there is. At every moment the key that signs is an active one of the trust
 * list, and so is the key of every manifest; wherever it is killed, the same call goes on from there.
 *
 * @param signAnew has every manifest signed by the key of that id, and comes back when all that serve have it
 * @param done is told of each step once it lasts
 * @returns the ids of the old and the new key
 * @throws LetheError `key-invalid`, `write-failed`, and what `signAnew` throws
 */
export async function rotateKey(
  keys: KeyFolder,
  signAnew: (key: string) => Promise<void>,
  done: (step: RotationStep) => void,
  now: () => Date,
): Promise<{ readonly from: string; readonly to: string }> {
  const { from, to } = await noted(keys, done);
  if ((await isThere(keys.nextKey)) && (await readSigningKey(keys.nextKey)).id === to) {
    const next = await readSigningKey(keys.nextKey);
    await writeTrustList(keys, withState(await trustedKeys(keys), next, 'active', now()));
    done('trusted');
    // The old key is gone with this: nobody can sign with it any more, and nobody needs to.
    await rename(keys.nextKey, keys.signingKey);
  }
  done('installed');
  const current = await readSigningKey(keys.signingKey);
  if (current.id !== to)
    throw keyInvalid(
      'rotate the signing key',
      keys.signingKey,
      `a rotation to ${to} is under way, and this is key ${current.id}`,
      `put the key back that the rotation made, or remove ${keys.rotation} to begin anew`,
    );
  await signAnew(to);
  done('signed');
  const list = await trustedKeys(keys);
  const retired = list.keys.map((key) =>
    key.id === from && key.state === 'active'
      ? ({ ...key, state: 'retired', since: now().toISOString() } as const)
      : key,
  );
  await writeTrustList(keys, { keys: retired });
  done('retired');
  await rm(keys.rotation);
  return { from, to };
}

/** The rotation that is under way, or a new one. */
async function noted(keys: KeyFolder, done: (step: RotationStep) => void): Promise<z.infer<typeof noteSchema>> {
  const found = await readNote(keys);
  if (found !== undefined) return found;
  const from = await readSigningKey(keys.signingKey);
  // Its list has to be good before anything is changed.
  await trustedKeys(keys);
  const next = (await isThere(keys.nextKey))
    ? await readSigningKey(keys.nextKey)
    : await createSigningKey(keys.nextKey);
  done('made');
  const note = { from: from.id, to: next.id };
  await writeKeyFile(keys.rotation, JSON.stringify(note), 0o600, true);
  done('noted');
  return note;
}

/** The rotation that is under way in a folder; undefined if there is none. @throws LetheError `key-invalid` */
export async function readNote({ rotation }: KeyFolder): Promise<z.infer<typeof noteSchema> | undefined> {
  if (!(await isThere(rotation))) return undefined;
  try {
    return noteSchema.parse(JSON.parse(await readFile(rotation, 'utf8')));
  } catch (cause) {
    const why = 'it does not say which key takes the place of which';
    throw keyInvalid('go on with the rotation', rotation, why, 'remove the file to begin anew', cause);
  }
}
