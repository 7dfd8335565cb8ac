import type { SiteName } from '../../shared/model/site.ts';
import type { Member, PlannedCohort } from './plan.ts';

/** The sites among `names`, in their order, that some cohort of the members needs. */
export function unitSites(
  members: readonly Member[],
  cohorts: readonly PlannedCohort[],
  names: readonly SiteName[],
): readonly SiteName[] {
  const ids = new Set(members.map(({ cohort }) => cohort));
  const wanted = new Set(cohorts.flatMap(({ id, sites }) => (ids.has(id) ? sites : [])));
  return names.filter((name) => wanted.has(name));
}
