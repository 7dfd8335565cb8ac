import type { Logger } from 'pino';
import type { FinishedTask } from '../../shared/fleet/task.ts';
import type { Attempt } from '../store/attempt.ts';
import type { RecordBook } from '../store/record-book.ts';
import type { Store } from '../store/store.ts';
import type { MaskBytes } from '../publish/mask-bytes.ts';
import type { Wake } from '../store/wake.ts';
import type { AttemptLimits } from './judge-attempts.ts';
import type { LeaseTable } from './lease-table.ts';
import type { LeaseTickets } from './lease-tickets.ts';
import type { PhaseTimes } from './phase-times.ts';
import type { WorkerBook } from './worker-book.ts';

/** Who counts what dispatch does. */
export interface DispatchObserver {
  /** A result was committed, and is the one that counts. */
  onResult(finished: FinishedTask): void;
  /** An attempt gave no result. */
  onAttempt(kind: Attempt['kind']): void;
}

/** What the parts of dispatch share. */
export interface Dispatch {
  readonly store: Store;
  readonly book: RecordBook;
  readonly masks: MaskBytes;
  readonly workers: WorkerBook;
  readonly leases: LeaseTable;
  readonly tickets: LeaseTickets;
  readonly times: PhaseTimes;
  readonly limits: AttemptLimits;
  /** Rung when a unit might be leased that could not be before. */
  readonly wake: Wake;
  readonly observer: DispatchObserver;
  readonly log: Logger;
}
