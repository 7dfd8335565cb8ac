import type { Logger } from 'pino';
import { type ChangeRecord, manifestOf } from '../../shared/manifest/change-record.ts';
import type { Manifest } from '../../shared/manifest/manifest.ts';
import { signManifest } from '../../shared/manifest/sign-manifest.ts';
import type { Store } from '../store/store.ts';
import type { Keyring } from './keyring.ts';
import { baseOf, isPublished, openManifest, readManifest, readStanding } from './standing.ts';

/** What publishing needs of its surroundings. */
export interface Publication {
  readonly store: Pick<Store, 'audit' | 'manifests' | 'masks' | 'verifications' | 'broadcast'>;
  readonly keyring: Keyring;
  /** The highest version that processes which serve the checkpoint report; 0 for none. */
  readonly reportedVersion: (checkpoint: string) => Promise<number>;
  readonly now: () => Date;
  readonly log: Pick<Logger, 'warn' | 'info'>;
}

/** Publishes what is decided and is not published yet: left by a coordinator that was killed, or replaced by somebody else. */
export async function catchUp(publication: Publication, checkpoint: string): Promise<void> {
  const standing = await readStanding(publication.store, checkpoint, await publication.keyring.trust());
  const { head } = standing;
  if (head === undefined || isPublished(standing) || baseOf(standing)?.record !== head.hash) return;
  await publishRecord(publication, head.record, head.hash);
  publication.log.info({ checkpoint, version: head.record.version }, 'published what was decided before');
}

/** Publishes the manifest of a record, unless a newer one is there, and tells workers to look. */
export async function publishRecord(publication: Publication, record: ChangeRecord, hash: string): Promise<Manifest> {
  const { store, keyring, log } = publication;
  const { checkpoint, version } = record;
  const trust = await keyring.trust();
  const manifest = manifestOf(record, hash);
  const key = await keyring.signing();
  const bytes = signManifest(manifest, key);
  let found = (await readManifest(store, checkpoint, trust))?.document;
  for (;;) {
    const opened = found && openManifest(found.bytes, checkpoint, trust);
    // A newer one, or this one: another coordinator has published what it found decided.
    if (opened?.kind === 'opened' && opened.body.version > version) return manifest;
    if (opened?.kind === 'opened' && opened.body.audit === hash && opened.key.id === key.id) return manifest;
    if (opened?.kind === 'refused')
      log.warn({ checkpoint, reason: opened.reason, why: opened.why }, 'a stored manifest is not to be trusted');
    const outcome = await (found === undefined
      ? store.manifests.create(checkpoint, bytes)
      : store.manifests.update(checkpoint, bytes, found.sequence));
    if (outcome.kind === 'stored') break;
    found = outcome.found;
  }
  await store.broadcast.say('manifest');
  return manifest;
}
