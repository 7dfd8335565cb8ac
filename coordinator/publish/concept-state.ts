import { isContrasting } from '../../shared/method/conceptprune/settings.ts';
import type { SiteName } from '../../shared/model/site.ts';
import type { CohortStatistics, ConceptPruneState } from '../../shared/method/conceptprune/conceptprune.ts';
import type { CohortSum } from '../../shared/statistics/cohort-sum.ts';
import type { TrajectoryKey } from '../../shared/unit/unit.ts';
import type { Plan, PlannedConcept } from '../plan/plan.ts';

/** The sums that a concept is scored by: of its target and, for each site, of what that is compared with. */
export function sumsOf({
  target,
  sites,
}: PlannedConcept): readonly { readonly cohort: string; readonly site: SiteName }[] {
  return sites.flatMap(({ site, against }) => [
    { cohort: target, site },
    { cohort: against, site },
  ]);
}

/** The final state of ConceptPrune for a concept whose sums are all there. */
export function conceptState(
  plan: Plan,
  concept: PlannedConcept,
  sumOf: (cohort: string, site: SiteName) => CohortSum,
): ConceptPruneState {
  const { target, base, sites, selectRatio } = concept;
  const retain = sites.find(({ selection, against }) => isContrasting(selection) && against !== base)?.against;
  const statistics = (cohort: string, names: readonly SiteName[]): CohortStatistics => ({
    layers: names.flatMap((site) => sumOf(cohort, site).layers),
  });
  const against = (cohort: string): readonly SiteName[] =>
    sites.flatMap((each) => (each.against === cohort ? [each.site] : []));
  return {
    settings: { tau: plan.tau, selectRatio, sites },
    cohorts: {
      target: listOf(plan, target),
      base: listOf(plan, base),
      retain: retain === undefined ? [] : listOf(plan, retain),
    },
    statistics: new Map([
      [
        'target',
        statistics(
          target,
          sites.map(({ site }) => site),
        ),
      ],
      ['base', statistics(base, against(base))],
      ...(retain === undefined ? [] : [['retain', statistics(retain, against(retain))] as const]),
    ]),
  };
}

/** A cohort's list written out: what counts twice is there twice. */
function listOf({ cohorts }: Plan, id: string): readonly TrajectoryKey[] {
  const entries = cohorts.find((cohort) => cohort.id === id)?.entries ?? [];
  return entries.flatMap(({ prompt, seed, count }) => new Array<TrajectoryKey>(count).fill({ prompt, seed }));
}
