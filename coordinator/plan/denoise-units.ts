import type { GraphCost } from '../../shared/model/graph/cost.ts';
import {
  type DenoiseUnit,
  type SamplingSpec,
  type TrajectoryKey,
  unitHash,
  type Window,
} from '../../shared/unit/unit.ts';
import { batchesOf } from './batches.ts';
import type { SiteFacts } from './checkpoint-facts.ts';
import { type SumOrigin, trajectoryId } from './cohort.ts';
import { memoryNeed } from './memory-need.ts';
import type { Plan, PlannedCohort, PlannedUnit } from './plan.ts';
import { unitSites } from './unit-sites.ts';

/**
 * Units of UNet calls: every step below tau of every distinct trajectory in exactly one. The windows of a batch follow
 * each other, each naming the one before.
 */
export function denoiseUnits(
  cohorts: readonly PlannedCohort[],
  sites: readonly SiteFacts[],
  { checkpoint, numerics, graph }: SumOrigin,
  sampling: SamplingSpec,
  { tau, window, batch }: Pick<Plan, 'tau' | 'window' | 'batch'>,
  cost: GraphCost,
): readonly PlannedUnit[] {
  const names = sites.flatMap(({ site, runs }) => (runs === 'denoise' ? [site] : []));
  const concerned = cohorts.filter((cohort) => cohort.sites.some((site) => names.includes(site)));
  const perTrajectory = concerned.map(({ id, entries }) => ({
    id,
    items: entries.map(({ prompt, seed, count }) => {
      const value: TrajectoryKey = { prompt, seed };
      return { id: trajectoryId(value), value, count };
    }),
  }));
  return batchesOf(perTrajectory, batch).flatMap(({ values: trajectories, members }) => {
    const wanted = unitSites(members, concerned, names);
    const memory = memoryNeed(cost, trajectories.length);
    const chain: PlannedUnit[] = [];
    for (const each of windowsOf(tau, window)) {
      const unit: DenoiseUnit = { kind: 'denoise', checkpoint, numerics, graph, sampling, trajectories, window: each };
      const planned = { hash: unitHash(unit), unit, sites: wanted, members, memory };
      const before = chain.at(-1);
      chain.push(before === undefined ? planned : { ...planned, predecessor: before.hash });
    }
    return chain;
  });
}

/** Windows of `length` steps that cover steps 0 to `tau`; the last may be shorter. */
export function windowsOf(tau: number, length: number): readonly Window[] {
  return Array.from({ length: Math.ceil(tau / length) }, (_, i) => ({
    from: i * length,
    to: Math.min((i + 1) * length, tau),
  }));
}
