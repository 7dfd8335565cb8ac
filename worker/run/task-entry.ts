import type { BlobAssembly } from '../../shared/fleet/blob.ts';
import type { FinishedTask, Lease, TaskPhase } from '../../shared/fleet/task.ts';

/** A task in a worker's hands. */
export type TaskEntry =
  /** Leased; the states it goes on from are still arriving. */
  | { readonly kind: 'receiving'; readonly lease: Lease; readonly states: BlobAssembly }
  /** Leased, and waiting for the one before it. */
  | { readonly kind: 'waiting'; readonly lease: Lease; readonly states: readonly Uint8Array[] | undefined }
  | { readonly kind: 'running'; readonly lease: Lease; readonly phase: TaskPhase; readonly stop: AbortController }
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
