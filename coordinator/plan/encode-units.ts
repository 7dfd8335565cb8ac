import type { GraphCost } from '../../shared/model/graph/cost.ts';
import type { SiteName } from '../../shared/model/site.ts';
import { type EncodeUnit, guidanceRows, type SamplingSpec, unitHash } from '../../shared/unit/unit.ts';
import { batchesOf, type Item } from './batches.ts';
import type { SiteFacts } from './checkpoint-facts.ts';
import type { SumOrigin } from './cohort.ts';
import { memoryNeed } from './memory-need.ts';
import type { PlannedCohort, PlannedUnit } from './plan.ts';
import { unitSites } from './unit-sites.ts';

/** Prompts in a unit: not the campaign's batch, which must not change what text encoder passes are called. */
const promptsPerUnit = 64;

/**
 * Units for sites whose input depends on neither step nor image: one text encoder pass a distinct prompt. The empty
 * prompt, which guidance adds to every trajectory, is a unit of its own: every campaign on the checkpoint shares it.
 */
export function encodeUnits(
  cohorts: readonly PlannedCohort[],
  sites: readonly SiteFacts[],
  { checkpoint, numerics, graph }: SumOrigin,
  sampling: SamplingSpec,
  cost: GraphCost,
): readonly PlannedUnit[] {
  const names = sites.flatMap(({ site, runs }) => (runs === 'encode' ? [site] : []));
  const concerned = cohorts.filter((cohort) => cohort.sites.some((site) => names.includes(site)));
  const perPrompt = concerned.map((cohort) => ({ id: cohort.id, items: promptsOf(cohort, guidanceRows(sampling)) }));
  const isEmpty = ({ value }: Item<string>): boolean => value === '';
  const batches = [
    ...batchesOf(
      perPrompt.map(({ id, items }) => ({ id, items: items.filter(isEmpty) })),
      promptsPerUnit,
    ),
    ...batchesOf(
      perPrompt.map(({ id, items }) => ({ id, items: items.filter((item) => !isEmpty(item)) })),
      promptsPerUnit,
    ),
  ];
  const sitesOf = (members: PlannedUnit['members']): readonly SiteName[] => unitSites(members, concerned, names);
  return batches.map(({ values: prompts, members }): PlannedUnit => {
    const unit: EncodeUnit = { kind: 'encode', checkpoint, numerics, graph, prompts };
    return { hash: unitHash(unit), unit, sites: sitesOf(members), members, memory: memoryNeed(cost, prompts.length) };
  });
}

/** Each prompt with its count over all seeds; the empty one once more for every trajectory that is guided. */
function promptsOf(cohort: PlannedCohort, rows: 1 | 2): readonly Item<string>[] {
  const counts = new Map<string, number>();
  if (rows === 2) counts.set('', cohort.size);
  for (const { prompt, count } of cohort.entries) counts.set(prompt, (counts.get(prompt) ?? 0) + count);
  return [...counts].map(([prompt, count]) => ({ id: prompt, value: prompt, count }));
}
