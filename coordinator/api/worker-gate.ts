import type { LetheError } from '../../shared/error/lethe-error.ts';
import type { FinishedTask, Lease, RemoteFailure, TaskPhase, WorkerHello } from '../../shared/fleet/task.ts';

/** What dispatch gives to the API: it is told of every worker that registers. */
export interface WorkerGate {
  /**
   * A worker has registered. What is returned is told of everything the worker says, in order, from its first message
   * after hello to `gone`, which is the last.
   *
   * @throws LetheError to refuse the worker: it is told why.
   */
  onWorker(worker: ConnectedWorker): (event: WorkerEvent) => void;
}

/** What a worker says. Tasks are named as leases named them. */
export type WorkerEvent =
  /** It is ready for more: `credits` of the worker has grown. */
  | { readonly kind: 'credits' }
  | { readonly kind: 'progress'; readonly task: string; readonly phase: TaskPhase }
  /** The result waits to be collected, and then to be forgotten. */
  | { readonly kind: 'finished'; readonly finished: FinishedTask }
  | {
      readonly kind: 'failed';
      readonly task: string;
      readonly failure: RemoteFailure;
      readonly replySubject: string;
    }
  /** It gave the task up without fault of the task. */
  | { readonly kind: 'handed-back'; readonly task: string; readonly reason: string; readonly replySubject: string }
  /** It takes no more leases. */
  | { readonly kind: 'draining' }
  /** Its stream is over, and every promise it gave is broken; `cause` says why. */
  | { readonly kind: 'gone'; readonly cause: LetheError };

/** A worker on the other end of a stream. Once it is gone, what it is asked for is refused with LetheError `fleet-lost`. */
export interface ConnectedWorker {
  readonly hello: WorkerHello;
  /** Leases it is ready to take. */
  readonly credits: number;
  /**
   * Leases a task: uses up one credit. Resolves when the lease and its states are written as fast as the worker reads.
   *
   * @param states where the trajectories go on from; none runs them from their start
   * @throws LetheError `protocol-violated` without a credit left.
   */
  lease(lease: Lease, states: readonly Uint8Array[]): Promise<void>;
  /** Asks for a finished task's blobs; each has the length and hash it was announced with. */
  collect(finished: FinishedTask): Promise<readonly Uint8Array[]>;
  /** The worker holds the task no longer. */
  forget(task: string): void;
  /** The worker stops the task and hands it back. */
  cancel(task: string, reason: string): void;
  drain(reason: string): void;
  /** Ends the stream. */
  disconnect(cause: LetheError): void;
}
