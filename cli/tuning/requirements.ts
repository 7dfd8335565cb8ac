import type { Concept } from '../../coordinator/plan/campaign.ts';
import type { Requirement } from '../../shared/tuning/standing.ts';
import type { Thresholds } from '../../shared/verification/verdict.ts';
import type { ProbeLists } from './probe-lists.ts';

/** What is asked for of what a list shows. */
export interface Asked {
  readonly requirement: Requirement;
  /** The target's place in the lists, or the head by which the rest is recognised. */
  readonly of: { readonly list: number } | { readonly head: string };
}

/**
 * What candidates are held against: the thresholds by which verify will judge them. Of several concepts those for all masks
 * together, and those of each mask by itself. The latter are told by the group's images too: prompts that name another of its
 * concepts, which verify has among the rest, are not looked at.
 */
export function requirementsOf(lists: ProbeLists): readonly Asked[] {
  const { targets } = lists;
  if (targets.length < 2) return asksOf(targets, lists, ({ verify }) => verify.thresholds);
  return [
    ...asksOf(targets, lists, ({ verify }) => verify.together),
    ...targets.flatMap((target) =>
      asksOf([target], lists, ({ verify }) => verify.thresholds, { alone: target.concept.name }),
    ),
  ];
}

/** What is kept counts for all targets at once: of each head the highest share that one of them asks for. */
function asksOf(
  targets: ProbeLists['targets'],
  lists: ProbeLists,
  leastOf: (concept: Concept) => Thresholds,
  only: Pick<Requirement, 'alone'> = {},
): readonly Asked[] {
  const { alone } = only;
  const heads = [...new Set(lists.rest.flatMap(({ asked }) => Object.keys(asked)))];
  const erased = targets.flatMap((target): readonly Asked[] => {
    const { ua: least } = leastOf(target.concept);
    if (least === undefined) return [];
    const concept = target.concept.name;
    const name = `UA of ${concept}${alone === undefined ? '' : ' alone'}`;
    const side = { kind: 'erased', concept } as const;
    return [{ requirement: { name, side, least, ...only }, of: { list: lists.targets.indexOf(target) } }];
  });
  const kept = heads.flatMap((head): readonly Asked[] => {
    const shares = targets.flatMap(
      ({ concept, target }) => leastOf(concept)[target.head === head ? 'ira' : 'cra'] ?? [],
    );
    if (shares.length === 0) return [];
    const name = `rest kept by ${head}${alone === undefined ? '' : `, ${alone} alone`}`;
    return [{ requirement: { name, side: { kind: 'kept' }, least: Math.max(...shares), ...only }, of: { head } }];
  });
  return [...erased, ...kept];
}

/**
 * By concept, the lists that what is asked of its mask by itself is told by: their places, the targets' first and then the
 * rest.
 */
export function aloneLists(asked: readonly Asked[], { targets }: ProbeLists): ReadonlyMap<string, readonly number[]> {
  const places = new Map<string, Set<number>>();
  for (const { requirement, of } of asked) {
    const { alone } = requirement;
    if (alone === undefined) continue;
    const own = places.get(alone) ?? new Set();
    places.set(alone, own.add('list' in of ? of.list : targets.length));
  }
  return new Map([...places].map(([concept, own]) => [concept, [...own]]));
}
