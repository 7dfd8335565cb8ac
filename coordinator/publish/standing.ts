import { LetheError } from '../../shared/error/lethe-error.ts';
import type { Document } from '../../shared/bus/documents.ts';
import { AuditChain } from '../../shared/manifest/audit-chain.ts';
import type { ChangeRecord, RecordedMask } from '../../shared/manifest/change-record.ts';
import { type Manifest, manifestSchema } from '../../shared/manifest/manifest.ts';
import { openStatement, type OpenedStatement } from '../../shared/manifest/statement.ts';
import type { TrustList } from '../../shared/manifest/trust-list.ts';
import type { Store } from '../store/store.ts';

/** What is decided for a checkpoint, and what of it is published. */
export interface Standing {
  /** The newest record that a coordinator has made: it says what is to be active. */
  readonly head: { readonly hash: string; readonly record: ChangeRecord } | undefined;
  /** Of the log's last record, which a new one has to follow; 0 if there is none. */
  readonly sequence: number;
  /** As it is stored: perhaps a version behind, perhaps forged. */
  readonly manifest: StoredManifest | undefined;
}

export interface StoredManifest {
  readonly document: Document;
  readonly opened: OpenedStatement<Manifest>;
}

type StandingStore = Pick<Store, 'audit' | 'manifests'>;

/**
 * Manifest first: a record that it names is then in the log that is read. Every record is checked, about 0.2 ms each: the last
 * one by itself may be a copy of an old one.
 */
export async function readStanding(store: StandingStore, checkpoint: string, trust: TrustList): Promise<Standing> {
  const manifest = await readManifest(store, checkpoint, trust);
  const last = await store.audit.head(checkpoint);
  if (last === undefined) return { head: undefined, sequence: 0, manifest };
  // What no coordinator has made is passed over: it may not stop them either.
  const chain = new AuditChain(checkpoint, trust);
  for await (const { sequence, bytes, storedAt } of store.audit.list(checkpoint))
    if (sequence <= last.sequence) chain.take(sequence, bytes, storedAt);
  return { head: chain.head, sequence: last.sequence, manifest };
}

/** The manifest that is stored for a checkpoint, and whether it is to be trusted. */
export async function readManifest(
  { manifests }: Pick<Store, 'manifests'>,
  checkpoint: string,
  trust: TrustList,
): Promise<StoredManifest | undefined> {
  const document = await manifests.read(checkpoint);
  return document && { document, opened: openManifest(document.bytes, checkpoint, trust) };
}

/** A stored manifest, if an active key has signed it for this checkpoint. */
export function openManifest(bytes: Uint8Array, checkpoint: string, trust: TrustList): OpenedStatement<Manifest> {
  const opened = openStatement<Manifest>('manifest', manifestSchema, bytes, trust, 'refused');
  return opened.kind === 'opened' && opened.body.checkpoint !== checkpoint
    ? { kind: 'refused', reason: 'malformed', why: `it is for ${opened.body.checkpoint}` }
    : opened;
}

/** Whether the head, or what came after it, is published. */
export function isPublished({ head, manifest }: Standing): boolean {
  if (manifest?.opened.kind !== 'opened') return false;
  const { version, audit } = manifest.opened.body;
  return head === undefined || version > head.record.version || audit === head.hash;
}

/**
 * Where the log says what is to be active, a stored manifest that is not to be trusted is simply replaced. Where there is no
 * log (a manifest of a build that did not sign, or all of NATS is somebody else's) nobody knows.
 *
 * @param force go on from nothing active
 * @throws LetheError `manifest-untrusted`
 */
export function requireTrusted({ head, manifest }: Standing, checkpoint: string, force: boolean): void {
  if (force || head !== undefined || manifest === undefined || manifest.opened.kind === 'opened') return;
  throw new LetheError('manifest-untrusted', {
    what: 'cannot build on the manifest that is stored',
    where: checkpoint,
    why: `${manifest.opened.reason}: ${manifest.opened.why}; and no record of a change vouches for it`,
    next: 'begin anew: `lethe apply MASK... --force --reason TEXT` with every mask that is to be active',
  });
}

/** What a change is made on top of. */
export interface Base {
  readonly version: number;
  readonly masks: readonly RecordedMask[];
  readonly union: string | undefined;
  /** Hash of the record that made it. */
  readonly record: string;
}

/** The newest that is signed: as a rule the log's head; the manifest where records of the log were lost. */
export function baseOf({ head, manifest }: Standing): Base | undefined {
  const published = manifest?.opened.kind === 'opened' ? manifest.opened.body : undefined;
  if (head !== undefined && head.record.version >= (published?.version ?? 0)) {
    const { version, masks, union } = head.record;
    return { version, masks, union, record: head.hash };
  }
  return published && { ...published, union: published.union, record: published.audit };
}
