import type { BlobAssembly } from '../../shared/fleet/blob.ts';
import type { FinishedTask, Lease, TaskPhase } from '../../shared/fleet/task.ts';

/** Leased, and waiting for the one before it. */
export interface WaitingEntry {
  readonly kind: 'waiting';
  readonly lease: Lease;
  /** It goes on from these. */
  readonly states: readonly Uint8Array[] | undefined;
}

export interface RunningEntry {
  readonly kind: 'running';
  readonly lease: Lease;
  readonly phase: TaskPhase;
  readonly stop: AbortController;
}

/** A task in a worker's hands. */
export type TaskEntry =
  /** Leased; the states it goes on from are still arriving. */
  | { readonly kind: 'receiving'; readonly lease: Lease; readonly states: BlobAssembly }
  | WaitingEntry
  | RunningEntry
  /** Kept until it is to be forgotten. */
  | { readonly kind: 'finished'; readonly finished: FinishedTask; readonly blobs: readonly Uint8Array[] };

/** The entry under another lease's reply subject: the same queue entry was delivered again. */
export function underSubject(entry: TaskEntry, replySubject: string): TaskEntry {
  return entry.kind === 'finished'
    ? { ...entry, finished: { ...entry.finished, replySubject } }
    : { ...entry, lease: { ...entry.lease, replySubject } };
}

/** Bytes of a result that is kept. */
export function keptBytes(entry: TaskEntry): number {
  return entry.kind === 'finished' ? entry.blobs.reduce((sum, { length }) => sum + length, 0) : 0;
}
