import type { Concept } from '../../coordinator/plan/campaign.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import type { Standing } from '../../shared/tuning/standing.ts';
import type { Recognition } from '../../shared/verification/recognition.ts';
import { shows } from '../../shared/verification/test-image.ts';
import type { ProbeLists } from './probe-lists.ts';
import type { Asked } from './requirements.ts';

/** What the classifier saw of every list, in its order, as far as it was made. */
export interface Seen {
  readonly targets: readonly (readonly Recognition[])[];
  readonly rest: readonly Recognition[];
}

/**
 * @param before of the unpruned model, of all probes
 * @param together under all masks of a candidate, of the first of each list
 * @param alone under the mask of a concept by itself; what is asked of it where nothing was drawn is left out
 */
export function standingsOf(
  asked: readonly Asked[],
  lists: ProbeLists,
  before: Seen,
  together: Seen,
  alone: ReadonlyMap<string, Seen> = new Map(),
): readonly Standing[] {
  return asked.flatMap((each): readonly Standing[] => {
    const after = each.requirement.alone === undefined ? together : alone.get(each.requirement.alone);
    return after === undefined ? [] : [standingOf(each, lists, before, after)];
  });
}

function standingOf({ requirement, of }: Asked, lists: ProbeLists, before: Seen, after: Seen): Standing {
  if ('list' in of) {
    const target = lists.targets[of.list]?.target;
    const seen = after.targets[of.list] ?? [];
    const hits = seen.filter(({ choice }) => target !== undefined && !shows(choice, target)).length;
    const left = sumOf(seen, ({ probability }) => (target === undefined ? 1 : probability(target)));
    return { requirement, hits, of: seen.length, expected: seen.length === 0 ? 0 : 1 - left / seen.length };
  }
  const { head } = of;
  const named = lists.rest.slice(0, after.rest.length).flatMap(({ asked: { [head]: label } }, i) => {
    const [then, now] = [before.rest[i], after.rest[i]];
    return label === undefined || then === undefined || now === undefined
      ? []
      : [{ label: { head, label }, then, now }];
  });
  const expected = sumOf(named, ({ label, then }) => then.probability(label));
  return {
    requirement,
    hits: named.filter(({ label, now }) => shows(now.choice, label)).length,
    of: named.filter(({ label, then }) => shows(then.choice, label)).length,
    expected: expected === 0 ? 0 : sumOf(named, ({ label, now }) => now.probability(label)) / expected,
  };
}

function sumOf<T>(all: readonly T[], value: (each: T) => number): number {
  return all.reduce((sum, each) => sum + value(each), 0);
}

/**
 * @param present the least share before at which a target counts as there
 * @throws LetheError `not-testable` for a concept that the unpruned model does not draw, or the classifier does not know, and
 *   for a threshold of what is kept where nothing speaks for it.
 */
export function requirePresent(lists: ProbeLists, before: Seen, present: number): void {
  for (const [i, { concept, target }] of lists.targets.entries()) {
    const seen = before.targets[i] ?? [];
    const found = seen.filter(({ choice }) => shows(choice, target)).length;
    if (found < present * seen.length)
      throw notTestable(
        concept,
        `${seen.length} images of the unpruned model`,
        `the classifier sees ${target.label} in ${found} of them, less than ${present} of them`,
      );
    const kept = lists.targets.length > 1 ? concept.verify.together : concept.verify.thresholds;
    for (const measure of ['ira', 'cra'] as const) {
      const isCounted = lists.rest.some(({ asked }, k) =>
        Object.entries(asked).some(
          ([head, label]) => (head === target.head) === (measure === 'ira') && before.rest[k]?.choice[head] === label,
        ),
      );
      if (kept[measure] !== undefined && !isCounted)
        throw notTestable(
          concept,
          `${lists.rest.length} images of the rest`,
          `${measure} is asked for, and nothing that it counts is named by their prompts and recognised before`,
        );
    }
  }
}

function notTestable({ name }: Concept, where: string, why: string): LetheError {
  return new LetheError('not-testable', {
    what: `cannot tune the mask of ${name}`,
    where,
    why,
    next: 'check the prompts, labels and thresholds under verify, and the sampling settings',
  });
}
