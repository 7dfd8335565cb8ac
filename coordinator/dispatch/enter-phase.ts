import type { Clock } from './clock.ts';
import type { Dispatch } from './dispatch.ts';
import type { LeasePhase } from './lease-table.ts';

/** A task enters a phase: the one before it is over, and how long it took is learned. */
export function enterPhase({ leases, times }: Dispatch, clock: Clock, task: string, phase: LeasePhase): void {
  const before = leases.get(task);
  if (before !== undefined) times.took(before.workload, before.phase.kind, clock.now() - before.since);
  leases.enter(task, phase);
}
