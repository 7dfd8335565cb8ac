import { type ChangeRecord, changeRecordSchema, manifestOf, recordHash } from './change-record.ts';
import { judgeManifest, type RefusalReason } from './judge-manifest.ts';
import { manifestDigest } from './manifest.ts';
import { openStatement } from './statement.ts';
import type { TrustList } from './trust-list.ts';

/** What is wrong with a record of an audit log. */
export interface ChainFault {
  readonly kind:
    /** No coordinator has made it: it is not a part of the chain. */
    | 'forged'
    /** It names another record than the one before it. */
    | 'broken-link'
    /** It names a record that is not there. */
    | 'gap'
    /** Its version is not above that of the record before it. */
    | 'version-not-growing';
  readonly why: string;
}

/** A record, as far as it can be trusted. */
export interface ChainLink {
  /** Of the log's stream. */
  readonly sequence: number;
  readonly hash: string;
  /** Absent where it is forged. */
  readonly record?: ChangeRecord;
  readonly faults: readonly ChainFault[];
}

/** How the published manifest stands to the log. */
export type ManifestStanding =
  | { readonly kind: 'in-step'; readonly version: number }
  /** Nothing was ever changed. */
  | { readonly kind: 'none' }
  /** The newest record alone has no manifest yet: its coordinator is about to publish it, or was killed before. */
  | { readonly kind: 'unpublished'; readonly version: number; readonly published: number | undefined }
  /**
   * The manifest is older than the record before the newest, or gone: no coordinator appends a record before the one in
   * front of it is published, so somebody else has put it back, unless changes were made between reading it and the log.
   */
  | { readonly kind: 'stale'; readonly version: number; readonly published: number | undefined }
  /** The record it names is not in the log, or says something else. */
  | { readonly kind: 'without-record'; readonly version: number; readonly why: string }
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly why: string };

/** Clocks of coordinators and of whoever retires a key may differ by so many milliseconds. */
export const clockSkewMs = 300_000;

/** Checks the audit log of a checkpoint, record by record in its order. Pure; throws nothing, whatever the bytes. */
export class AuditChain {
  readonly #checkpoint: string;
  readonly #trust: TrustList;
  readonly #known = new Map<string, string>();
  #head: { readonly hash: string; readonly record: ChangeRecord } | undefined;
  /** Hash of the record that was the newest before the head. */
  #beforeHead: string | undefined;

  constructor(checkpoint: string, trust: TrustList) {
    this.#checkpoint = checkpoint;
    this.#trust = trust;
  }

  /** The newest record that a coordinator has made. */
  get head(): { readonly hash: string; readonly record: ChangeRecord } | undefined {
    return this.#head;
  }

  /**
   * @param storedAt when NATS stored it, milliseconds since 1970; 0 where nobody has said. What a retired key has signed is
   *   judged by the later of this and the record's own time, which whoever holds a stolen key may choose. So it holds against
   *   those who can append to the log, not against those who can set NATS's clock or rewrite its files.
   */
  take(sequence: number, bytes: Uint8Array, storedAt: number): ChainLink {
    const hash = recordHash(bytes);
    const forged = (why: string): ChainLink => ({ sequence, hash, faults: [{ kind: 'forged', why }] });
    const opened = openStatement<ChangeRecord>('record', changeRecordSchema, bytes, this.#trust, 'counts');
    if (opened.kind === 'refused') return forged(`${opened.reason}: ${opened.why}`);
    const { body: record, key } = opened;
    if (record.checkpoint !== this.#checkpoint) return forged(`it is of checkpoint ${record.checkpoint}`);
    if (this.#known.has(hash)) return forged('it is a copy of an earlier record');
    const made = Date.parse(record.when);
    // The other way round, so that no number at all counts for none.
    if (key.state === 'retired' && !(Math.max(made, storedAt) <= Date.parse(key.since) + clockSkewMs))
      return forged(
        `key ${key.id} was retired at ${key.since}, before ${storedAt > made ? 'this was stored' : 'it signed this'}`,
      );
    const faults = [...this.#linkFaults(record), ...this.#versionFaults(record)];
    this.#known.set(hash, manifestDigest(manifestOf(record, hash)));
    this.#beforeHead = this.#head?.hash;
    this.#head = { hash, record };
    return { sequence, hash, record, faults };
  }

  /** @param bytes of the manifest that is published, read before the records were; undefined if there is none */
  standing(bytes: Uint8Array | undefined): ManifestStanding {
    const head = this.#head?.record.version;
    if (bytes === undefined)
      return head === undefined ? { kind: 'none' } : behind(head, undefined, this.#beforeHead === undefined);
    const judgement = judgeManifest(bytes, { checkpoint: this.#checkpoint, trust: this.#trust, seen: undefined });
    if (judgement.kind === 'refused') return judgement;
    const { version, audit } = judgement.manifest;
    const known = this.#known.get(audit);
    if (known === undefined)
      return { kind: 'without-record', version, why: `record ${audit.slice(0, 12)} that it names is not in the log` };
    if (known !== judgement.digest)
      return { kind: 'without-record', version, why: `record ${audit.slice(0, 12)} says something else` };
    return audit === this.#head?.hash || head === undefined
      ? { kind: 'in-step', version }
      : behind(head, version, audit === this.#beforeHead);
  }

  #linkFaults({ previous }: ChangeRecord): readonly ChainFault[] {
    const expected = this.#head?.hash;
    if (previous === expected) return [];
    const before = expected === undefined ? 'none is there' : `${expected.slice(0, 12)} stands before it`;
    if (previous === undefined) return [{ kind: 'broken-link', why: `it says that it is the first, and ${before}` }];
    const named = `it follows record ${previous.slice(0, 12)}`;
    return this.#known.has(previous)
      ? [{ kind: 'broken-link', why: `${named}, and ${before}` }]
      : [{ kind: 'gap', why: `${named}, which is not in the log` }];
  }

  #versionFaults({ version }: ChangeRecord): readonly ChainFault[] {
    const before = this.#head?.record.version ?? 0;
    if (version > before) return [];
    return [{ kind: 'version-not-growing', why: `its version is ${version}, after ${before}` }];
  }
}

/** @param byOne whether the newest record alone is not published */
function behind(version: number, published: number | undefined, byOne: boolean): ManifestStanding {
  return { kind: byOne ? 'unpublished' : 'stale', version, published };
}
