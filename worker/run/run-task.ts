import { summaryOf } from '../../shared/fleet/blob.ts';
import type { FinishedTask, Lease } from '../../shared/fleet/task.ts';
import { unitHash } from '../../shared/unit/unit.ts';
import { type CallCounter, noCalls, type Phase, type Supervision } from '../observe/phase.ts';
import type { Clock } from './clock.ts';
import { PhaseTimer } from './phase-timer.ts';

/** What a unit gives: statistics and states, or images. */
export type UnitResult = Pick<FinishedTask, 'layers' | 'steps' | 'items' | 'timesteps'> & {
  readonly blobs: readonly Uint8Array[];
};

/** Runs a lease's unit on the model of its checkpoint. `attached` are the blobs that came with the lease. */
export type RunUnit = (
  lease: Lease,
  attached: readonly Uint8Array[] | undefined,
  counter: CallCounter,
  supervision: Supervision,
) => Promise<UnitResult>;

/** A result: what is told of it, and its bytes. */
export interface TaskResult {
  readonly finished: FinishedTask;
  readonly blobs: readonly Uint8Array[];
}

/** Runs a task to its result. @throws what `runUnit` throws. */
export async function runTask(
  runUnit: RunUnit,
  lease: Lease,
  attached: readonly Uint8Array[] | undefined,
  clock: Clock,
  signal: AbortSignal,
  onPhase: (phase: Phase) => void,
): Promise<TaskResult> {
  const calls = noCalls();
  const timer = new PhaseTimer(clock);
  const { blobs, ...shape } = await runUnit(lease, attached, calls, {
    signal,
    onPhase: (phase) => {
      timer.enter(phase);
      onPhase(phase);
    },
  });
  const { task, unit, sites, replySubject } = lease;
  return {
    finished: {
      task,
      unit: unitHash(unit),
      sites,
      replySubject,
      ...shape,
      blobs: blobs.map(summaryOf),
      timings: timer.end(),
      calls,
    },
    blobs,
  };
}
