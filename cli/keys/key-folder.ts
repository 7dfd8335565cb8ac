import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeKeyFile } from '../../shared/manifest/key-file.ts';
import { createSigningKey, readSigningKey, type SigningKey } from '../../shared/manifest/signing-key.ts';
import { readTrustList, type TrustedKey, type TrustList, trustListText } from '../../shared/manifest/trust-list.ts';
import { makeFolder } from '../../shared/lock/make-folder.ts';

/** The files of a folder of keys. */
export interface KeyFolder {
  readonly folder: string;
  /** What coordinators sign with (LETHE_SIGNING_KEY). */
  readonly signingKey: string;
  /** What is mounted wherever manifests are judged (LETHE_TRUST_LIST). */
  readonly trustList: string;
  /** What masks are sealed with (LETHE_FLEET_KEY). */
  readonly fleetKey: string;
  /** The key that a rotation under way will put in the place of the signing key. */
  readonly nextKey: string;
  /** What a rotation under way is about. */
  readonly rotation: string;
}

export function keyFolder(folder: string): KeyFolder {
  return {
    folder,
    signingKey: join(folder, 'signing.key'),
    trustList: join(folder, 'trust.json'),
    fleetKey: join(folder, 'fleet.key'),
    nextKey: join(folder, 'signing.next.key'),
    rotation: join(folder, 'rotation.json'),
  };
}

/** Whether there is a file of that name. */
export async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** The keys that are trusted; none where there is no list yet. @throws LetheError `key-invalid` */
export async function trustedKeys({ trustList }: KeyFolder): Promise<TrustList> {
  return (await isThere(trustList)) ? readTrustList(trustList) : { keys: [] };
}

/** Stores a trust list whole or not at all. It is no secret; others than its owner may not change it. */
export async function writeTrustList({ trustList }: KeyFolder, list: TrustList): Promise<void> {
  await writeKeyFile(trustList, trustListText(list), 0o644, true);
}

/** A list in which the key has this state. */
export function withState(list: TrustList, key: SigningKey, state: TrustedKey['state'], now: Date): TrustList {
  const found = list.keys.find(({ id }) => id === key.id);
  if (found?.state === state) return list;
  const changed: TrustedKey = { id: key.id, key: key.publicKey, state, since: now.toISOString() };
  return { keys: found === undefined ? [...list.keys, changed] : list.keys.map((k) => (k === found ? changed : k)) };
}

/**
 * A folder with a signing key and a trust list that names it: makes what is missing. Killed anywhere, it is gone on with by
 * the next call.
 *
 * @throws LetheError `key-invalid`, `write-failed`
 */
export async function ensureKeys(keys: KeyFolder, now: Date): Promise<SigningKey> {
  await makeFolder(keys.folder);
  const key = (await isThere(keys.signingKey))
    ? await readSigningKey(keys.signingKey)
    : await createSigningKey(keys.signingKey);
  const list = await trustedKeys(keys);
  // A key that is retired stays so.
  if (!list.keys.some(({ id }) => id === key.id)) await writeTrustList(keys, withState(list, key, 'active', now));
  return key;
}
