import type { SumJob } from '../collect/sum-job.ts';
import { unitState, type VerdictOf } from '../dispatch/ready-units.ts';
import type { PlannedConcept, UnitPlan } from '../plan/plan.ts';
import { sumsOf } from '../publish/concept-state.ts';
import type { FailedVerdict } from '../store/verdict.ts';

/** How many units of a plan stand where. */
export interface UnitCounts {
  readonly done: number;
  readonly failed: number;
  /** Neither done nor failed. */
  readonly open: number;
}

export function countUnits(plan: UnitPlan, verdictOf: VerdictOf): UnitCounts {
  const kinds = plan.units.map((unit) => unitState(unit, verdictOf).kind);
  const of = (kind: (typeof kinds)[number]): number => kinds.filter((each) => each === kind).length;
  return { done: of('done'), failed: of('failed'), open: of('ready') + of('blocked') };
}

/** How a concept stands, given the records: its mask is not known from them. */
export type ConceptProgress =
  | { readonly kind: 'running'; readonly units: number }
  /** Every unit that it needs has its result. */
  | { readonly kind: 'complete'; readonly jobs: readonly SumJob[] }
  | { readonly kind: 'failed'; readonly verdict: FailedVerdict };

export function conceptProgress(
  concept: PlannedConcept,
  jobs: readonly SumJob[],
  verdictOf: VerdictOf,
): ConceptProgress {
  const needed = sumsOf(concept);
  const own = jobs.filter(({ cohort, site }) => needed.some((each) => each.cohort === cohort && each.site === site));
  const verdicts = own.flatMap(({ site, parts }) =>
    parts.map(({ unit }) => ({ unit, verdict: verdictOf(unit, site) })),
  );
  for (const { verdict } of verdicts) if (verdict?.kind === 'failed') return { kind: 'failed', verdict };
  const units = new Set(verdicts.flatMap(({ unit, verdict }) => (verdict === undefined ? [unit] : []))).size;
  return units === 0 ? { kind: 'complete', jobs: own } : { kind: 'running', units };
}
