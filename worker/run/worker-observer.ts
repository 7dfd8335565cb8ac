import type { Logger } from 'pino';
import { LetheError } from '../../shared/error/lethe-error.ts';
import type { FinishedTask, Lease } from '../../shared/fleet/task.ts';
import { unitHash } from '../../shared/unit/unit.ts';
import type { WorkerMetrics } from './worker-metrics.ts';
import type { WorkerState } from './worker-state.ts';

/** What is seen of a worker from outside. */
export interface WorkerObserver {
  onState(state: WorkerState): void;
  onLease(lease: Lease): void;
  onFinished(lease: Lease, finished: FinishedTask): void;
  onFailed(lease: Lease, error: unknown): void;
  onHandedBack(task: string, reason: string): void;
  /** A result could not be sent to its end. */
  onUnsent(task: string, cause: unknown): void;
  onLost(cause: unknown, wait: number | undefined): void;
}

/** Logs and counts. No prompt is in a log: units are named by their hashes. */
export function observerOf(log: Logger, metrics: WorkerMetrics): WorkerObserver {
  const named = ({ task, campaign, unit }: Lease) => ({ task, campaign, unit: unitHash(unit) });
  return {
    onState(state) {
      metrics.state(state.kind);
      log.info({ ...state, kind: undefined, state: state.kind }, 'worker state');
    },
    onLease(lease) {
      log.info(named(lease), 'lease taken');
    },
    onFinished(lease, finished) {
      const { timings, calls, blobs } = finished;
      metrics.finished(finished);
      const bytes = blobs.reduce((sum, { length }) => sum + length, 0);
      log.info({ ...named(lease), timings, calls, bytes }, 'unit finished');
    },
    onFailed(lease, error) {
      const { code, message, layer, step } =
        error instanceof LetheError
          ? error
          : { code: 'internal', message: String(error), layer: undefined, step: undefined };
      metrics.failed(code);
      log.error({ ...named(lease), code, layer, step }, message);
    },
    onHandedBack(task, reason) {
      metrics.handedBack();
      log.info({ task, reason }, 'unit handed back');
    },
    onUnsent(task, cause) {
      log.warn({ task, cause: messageOf(cause) }, 'result not sent: the next coordinator will ask for it');
    },
    onLost(cause, wait) {
      metrics.lost();
      log.warn({ cause: messageOf(cause), wait }, 'no coordinator');
    },
  };
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
