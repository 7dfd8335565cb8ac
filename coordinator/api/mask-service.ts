import type { AuditRecord } from '../../shared/bus/audit-log.ts';
import type { ChangeRecord } from '../../shared/manifest/change-record.ts';
import type { ActiveMask } from '../../shared/manifest/manifest.ts';
import type { TrustList } from '../../shared/manifest/trust-list.ts';
import type { ChangeCause } from '../publish/manifest-change.ts';
import type { Published } from '../publish/publish-change.ts';
import type { TestImages, Verification } from '../publish/verification.ts';

/** A change, and whether it was published. */
export interface HistoryEntry {
  readonly record: ChangeRecord;
  readonly published: boolean;
  /** What the verifications that its masks have passed looked at, by hash of the report; those that are known. */
  readonly tested: ReadonlyMap<string, TestImages>;
}

/** What an audit log is checked with. */
export interface AuditContext {
  /** The manifest's bytes, read before the records. */
  readonly manifest: Uint8Array | undefined;
  readonly trust: TrustList;
}

/** A process that serves a checkpoint, as shared/bus/presence.ts knows it. */
export interface ServingProcess {
  readonly process: string;
  /** Tells processes of one name apart. */
  readonly instance: string;
  readonly version?: number | undefined;
  readonly digest?: string | undefined;
  /** The highest version it has accepted, where it does not serve by that one. */
  readonly seen?: number | undefined;
  readonly seconds?: number | undefined;
  /** When it last said so, by the clock of NATS, milliseconds since 1970. */
  readonly seenAt?: number | undefined;
  readonly refused?: { readonly reason: string; readonly why: string } | undefined;
}

export interface ServingState {
  /** What is published; undefined before the first. */
  readonly published: { readonly version: number; readonly digest: string } | undefined;
  readonly processes: readonly (ServingProcess & { readonly missing: boolean })[];
}

/** What people and scripts ask of masks: the domain side of proto/fleet/v1/mask.proto. */
export interface MaskService {
  /** The stored bytes of a mask, opened. @throws LetheError `blob-missing`, `blob-sealed` */
  read(hash: string): Promise<Uint8Array>;
  /** @throws as `publishChange`; so do `rollback` and `sign` */
  apply(
    checkpoint: string,
    apply: readonly ActiveMask[],
    restore: readonly string[],
    cause: ChangeCause,
    dryRun?: boolean,
  ): Promise<Published>;
  rollback(checkpoint: string, target: number, cause: ChangeCause, dryRun?: boolean): Promise<Published>;
  /** Every manifest; those that the key has signed already are unchanged. */
  sign(key: string, cause: ChangeCause): AsyncGenerator<Published, void>;
  /** Every checkpoint for which anything ever was; `published` is undefined where its manifest is not to be trusted. */
  active(): AsyncGenerator<{ readonly checkpoint: string; readonly published: Published | undefined }, void>;
  /** @param limit the newest so many; 0 for all */
  history(checkpoint: string, limit: number): AsyncGenerator<HistoryEntry, void>;
  auditContext(checkpoint: string): Promise<AuditContext>;
  audit(checkpoint: string): AsyncGenerator<AuditRecord, void>;
  serving(checkpoint: string): Promise<ServingState>;
  /** What is noted of masks, of those that were verified, in the order asked for. */
  verifications(masks: readonly string[]): AsyncGenerator<Verification, void>;
  /** @param images undefined where it is not told @returns the hash of the report */
  recordVerification(
    mask: string,
    checkpoint: string,
    passed: boolean,
    report: Uint8Array,
    images: TestImages | undefined,
  ): Promise<string>;
}
