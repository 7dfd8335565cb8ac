import type { Capabilities } from '../../shared/fleet/task.ts';
import type { QueuedUnit } from './queued-unit.ts';

/** A worker as dispatch sees it. */
export interface Candidate {
  readonly worker: string;
  readonly capabilities: Capabilities;
  readonly credits: number;
  /** It takes no leases: it drains, is suspended, or is gone. */
  readonly closed: boolean;
}

/** What a queue's units need of a worker. */
export type Need = Pick<QueuedUnit, 'memory'> & {
  readonly unit: Pick<QueuedUnit['unit'], 'kind' | 'checkpoint' | 'graph'> & {
    /** Undefined where any will do: the first worker that can run it decides. */
    readonly numerics: string | undefined;
  };
};

/** Why a worker could never run it; undefined if it could. */
export function obstacle(
  { units, checkpoints, numerics, graph, memory }: Capabilities,
  need: Need,
): string | undefined {
  const { unit } = need;
  if (!units.includes(unit.kind)) return `it runs no ${unit.kind} units: it is of an earlier release`;
  if (!checkpoints.includes(unit.checkpoint)) return `it does not hold checkpoint ${unit.checkpoint}`;
  if (unit.numerics !== undefined && numerics !== unit.numerics)
    return `it computes in numerics class ${numerics}, not ${unit.numerics}`;
  if (graph !== unit.graph) return `it has graph version ${graph}, not ${unit.graph}`;
  if (memory < need.memory) return `it has ${memory} bytes of memory, and ${Math.ceil(need.memory)} are needed`;
  return undefined;
}

/**
 * The worker for a unit: one that has not failed it before, if there is one at all that could; else any. Of these the one
 * with most credits, then by name.
 *
 * @param tried workers that had the unit and gave no result.
 * @returns undefined if none is free now.
 */
export function chooseWorker<T extends Candidate>(
  workers: readonly T[],
  need: Need,
  tried: readonly string[],
): T | undefined {
  const able = workers.filter(({ closed, capabilities }) => !closed && obstacle(capabilities, need) === undefined);
  const fresh = able.filter(({ worker }) => !tried.includes(worker));
  const [best] = (fresh.length > 0 ? fresh : able)
    .filter(({ credits }) => credits > 0)
    .sort((a, b) => b.credits - a.credits || (a.worker < b.worker ? -1 : 1));
  return best;
}
