import type { SiteName } from '../../shared/model/site.ts';
import type { SummedLayer } from '../../shared/statistics/cohort-sum.ts';
import { guidanceRows, unitSize } from '../../shared/unit/unit.ts';
import { sumKey } from '../plan/cohort.ts';
import type { Plan, PlannedCohort } from '../plan/plan.ts';

/** A unit's part in a cohort's sum. */
export interface SumPart {
  /** Hash of the unit. */
  readonly unit: string;
  /** First step of its window; 0 for a text encoder pass. */
  readonly from: number;
  /** How often each of its items counts. */
  readonly counts: readonly number[];
}

/** The sum of a cohort over one site: what it is made of, and the name of its record. */
export interface SumJob {
  readonly cohort: string;
  readonly site: SiteName;
  readonly key: string;
  readonly layers: readonly SummedLayer[];
  readonly parts: readonly SumPart[];
  /** Statistics a step, with multiplicity. */
  readonly expected: number;
}

/** All sums that a plan's concepts are scored by. */
export function sumJobs(plan: Plan): readonly SumJob[] {
  return plan.cohorts.flatMap((cohort) => cohort.sites.flatMap((site) => sumJob(plan, cohort, site) ?? []));
}

function sumJob(plan: Plan, cohort: PlannedCohort, site: SiteName): SumJob | undefined {
  const facts = plan.sites.find((each) => each.site === site);
  if (facts === undefined) return undefined;
  const { runs } = facts;
  const steps = runs === 'denoise' ? plan.tau : 1;
  const parts = plan.units.flatMap(({ hash, unit, sites, members }): readonly SumPart[] => {
    const own = members.filter((member) => member.cohort === cohort.id);
    if (unit.kind !== runs || !sites.includes(site) || own.length === 0) return [];
    const counts = new Array<number>(unitSize(unit).items).fill(0);
    for (const { item, count } of own) counts[item] = (counts[item] ?? 0) + count;
    return [{ unit: hash, from: unit.kind === 'denoise' ? unit.window.from : 0, counts }];
  });
  return {
    cohort: cohort.id,
    site,
    key: sumKey(plan, cohort.id, site, steps),
    layers: facts.layers.map((layer) => ({
      site,
      name: layer.name,
      neurons: layer.in,
      rows: layer.rows * cohort.size,
      steps,
    })),
    parts,
    expected: cohort.size * (runs === 'encode' ? guidanceRows(plan.sampling) : 1),
  };
}
