import type { Concept } from '../../coordinator/plan/campaign.ts';
import type { Requirement } from '../../shared/tuning/standing.ts';
import type { Thresholds } from '../../shared/verification/verdict.ts';
import type { ProbeLists } from './probe-lists.ts';

/** What is asked for of what a list shows. */
export interface Asked {
  readonly requirement: Requirement;
  /** The concept whose mask prunes by itself; absent, all of the group do. */
  readonly alone?: string;
  /** The target's place in the lists, or the head by which the rest is recognised. */
  readonly of: { readonly list: number } | { readonly head: string };
}

/**
 * What candidates are held against: all that verify will ask of them. Of several concepts that is what all masks have to do
 * together, and each mask by itself.
 */
export function requirementsOf(lists: ProbeLists): readonly Asked[] {
  const { targets } = lists;
  const alone = targets.map((target): readonly Target[] => [target]);
  if (targets.length < 2) return alone.flatMap((each) => asksOf(each, lists, ({ verify }) => verify.thresholds));
  return [
    ...asksOf(targets, lists, ({ verify }) => verify.together),
    ...alone.flatMap((each) => asksOf(each, lists, ({ verify }) => verify.thresholds, each[0]?.concept.name)),
  ];
}

type Target = ProbeLists['targets'][number];

/**
 * What is kept counts for all targets at once: of each head the highest share that one of them asks for.
 *
 * @param alone the only target's concept, if its mask is one of several and prunes by itself
 */
function asksOf(
  targets: readonly Target[],
  lists: ProbeLists,
  leastOf: (concept: Concept) => Thresholds,
  alone?: string,
): readonly Asked[] {
  const heads = [...new Set(lists.rest.flatMap(({ asked }) => Object.keys(asked)))];
  const erased = targets.flatMap((target): readonly Asked[] => {
    const { ua } = leastOf(target.concept);
    const concept = target.concept.name;
    const name = `UA of ${concept}${alone === undefined ? '' : ' alone'}`;
    const requirement = { name, side: { kind: 'erased', concept }, least: ua ?? 0 } as const;
    return ua === undefined ? [] : [{ requirement, of: { list: lists.targets.indexOf(target) } }];
  });
  const kept = heads.flatMap((head): readonly Asked[] => {
    const shares = targets.flatMap(
      ({ concept, target }) => leastOf(concept)[target.head === head ? 'ira' : 'cra'] ?? [],
    );
    const name = `rest kept by ${head}${alone === undefined ? '' : `, ${alone} alone`}`;
    const side = { kind: 'kept', ...(alone === undefined ? {} : { concept: alone }) } as const;
    return shares.length === 0 ? [] : [{ requirement: { name, side, least: Math.max(...shares) }, of: { head } }];
  });
  return [...erased, ...kept].map((each) => (alone === undefined ? each : { ...each, alone }));
}

/**
 * By concept, the lists that what is asked of its mask by itself is told by: their places, the targets' first and then the
 * rest.
 */
export function aloneLists(asked: readonly Asked[], { targets }: ProbeLists): ReadonlyMap<string, readonly number[]> {
  const places = new Map<string, Set<number>>();
  for (const { alone, of } of asked) {
    if (alone === undefined) continue;
    const own = places.get(alone) ?? new Set();
    places.set(alone, own.add('list' in of ? of.list : targets.length));
  }
  return new Map([...places].map(([concept, own]) => [concept, [...own]]));
}
