import type { Concept } from '../../coordinator/plan/campaign.ts';
import type { Requirement } from '../../shared/tuning/standing.ts';
import type { Label } from '../../shared/verification/test-image.ts';
import type { Thresholds } from '../../shared/verification/verdict.ts';
import type { ProbeLists } from './standings.ts';

/** What is asked for of what a list shows. */
export interface Asked {
  readonly requirement: Requirement;
  /** The concept whose mask prunes by itself; absent, all of the group do. */
  readonly alone?: string;
  /** The target's place in the lists, or the head by which the rest is recognised. */
  readonly of: { readonly list: number } | { readonly head: string };
}

/**
 * What candidates are held against: all that verify will ask of them. Of several concepts the thresholds for all masks
 * together, where what is kept counts for all of them at once: of each head the highest share that one of them asks for. And
 * of each mask by itself those of its concept.
 */
export function requirementsOf(lists: ProbeLists): readonly Asked[] {
  const { targets } = lists;
  const heads = [...new Set(lists.rest.flatMap(({ asked }) => Object.keys(asked)))];
  const erased = (i: number, least: number | undefined, suffix: string): readonly Asked[] => {
    const concept = targets[i]?.concept.name ?? '';
    const side = { kind: 'erased', concept } as const;
    const name = `UA of ${concept}${suffix}`;
    return least === undefined ? [] : [{ requirement: { name, side, least }, of: { list: i } }];
  };
  const keptBy = (target: Label, head: string, { ira, cra }: Thresholds) => (target.head === head ? ira : cra);
  const least = ({ verify }: Concept) => (targets.length > 1 ? verify.together : verify.thresholds);
  const group = [
    ...targets.flatMap(({ concept }, i) => erased(i, least(concept).ua, '')),
    ...heads.flatMap((head): readonly Asked[] => {
      const shares = targets.flatMap(({ concept, target }) => keptBy(target, head, least(concept)) ?? []);
      if (shares.length === 0) return [];
      const requirement = { name: `rest kept by ${head}`, side: { kind: 'kept' }, least: Math.max(...shares) } as const;
      return [{ requirement, of: { head } }];
    }),
  ];
  if (targets.length < 2) return group;
  const alone = targets.flatMap(({ concept: { name, verify }, target }, i) => {
    const own = erased(i, verify.thresholds.ua, ' alone');
    const kept = heads.flatMap((head): readonly Asked[] => {
      const share = keptBy(target, head, verify.thresholds);
      const side = { kind: 'kept', concept: name } as const;
      const title = `rest kept by ${head}, ${name} alone`;
      return share === undefined ? [] : [{ requirement: { name: title, side, least: share }, of: { head } }];
    });
    return [...own, ...kept].map((each): Asked => ({ ...each, alone: name }));
  });
  return [...group, ...alone];
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
