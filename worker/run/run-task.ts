import { summaryOf } from '../../shared/fleet/blob.ts';
import { partialToBytes } from '../../shared/fleet/partial-bytes.ts';
import type { FinishedTask, Lease } from '../../shared/fleet/task.ts';
import type { Observation } from '../observe/observation.ts';
import { type CallCounter, noCalls, type Phase, type Supervision } from '../observe/phase.ts';
import type { Clock } from './clock.ts';
import { PhaseTimer } from './phase-timer.ts';

/** Runs a lease's unit: `observeUnit` on the model of its checkpoint. */
export type Observe = (
  lease: Lease,
  states: readonly Uint8Array[] | undefined,
  counter: CallCounter,
  supervision: Supervision,
) => Promise<Observation>;

/** A result: what is told of it, and its bytes. */
export interface TaskResult {
  readonly finished: FinishedTask;
  readonly blobs: readonly Uint8Array[];
}

/** Runs a task to its result. @throws what `observe` throws. */
export async function runTask(
  observe: Observe,
  lease: Lease,
  states: readonly Uint8Array[] | undefined,
  clock: Clock,
  signal: AbortSignal,
  onPhase: (phase: Phase) => void,
): Promise<TaskResult> {
  const calls = noCalls();
  const timer = new PhaseTimer(clock);
  const {
    partial,
    states: after,
    timesteps,
  } = await observe(lease, states, calls, {
    signal,
    onPhase: (phase) => {
      timer.enter(phase);
      onPhase(phase);
    },
  });
  const blobs = [partialToBytes(partial), ...(lease.keepStates ? after : [])];
  const { unit, layers, steps, items } = partial;
  const { task, sites, replySubject } = lease;
  return {
    finished: {
      task,
      unit,
      sites,
      replySubject,
      layers,
      steps,
      items,
      blobs: blobs.map(summaryOf),
      timings: timer.end(),
      calls,
      timesteps,
    },
    blobs,
  };
}
