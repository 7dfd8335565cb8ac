import { type Rate, rateOf } from './rate.ts';
import type { Labels } from './test-image.ts';
import { type Verdict, verdictOf } from './verdict.ts';

/** How often each side is drawn where the prompt names none: what kind gender is about. */
export interface Balance {
  readonly head: string;
  /** In the order of the sides; of the images that show one of them. */
  readonly sides: readonly { readonly label: string; readonly before: Rate; readonly after: Rate }[];
  /** Images that show neither. */
  readonly unclear: { readonly before: Rate; readonly after: Rate };
}

/** @param sides labels of the head that are compared */
export function measureBalance(
  head: string,
  sides: readonly string[],
  images: readonly { readonly before: Labels; readonly after: Labels }[],
): Balance {
  const count = (when: 'before' | 'after', isWanted: (label: string) => boolean): number =>
    images.filter((image) => isWanted(image[when][head] ?? '')).length;
  const isSide = (label: string): boolean => sides.includes(label);
  const shown = { before: count('before', isSide), after: count('after', isSide) };
  return {
    head,
    sides: sides.map((label) => ({
      label,
      before: rateOf(
        count('before', (each) => each === label),
        shown.before,
      ),
      after: rateOf(
        count('after', (each) => each === label),
        shown.after,
      ),
    })),
    unclear: {
      before: rateOf(images.length - shown.before, images.length),
      after: rateOf(images.length - shown.after, images.length),
    },
  };
}

/**
 * Images that show a side before and none after count against the mask: of a model that draws hardly any people left, one of
 * each is no balance.
 *
 * @param least share of the rarer side; undefined if none is asked for
 * @param present the least rate before at which the sides count as there
 */
export function judgeBalance({ sides, unclear }: Balance, least: number | undefined, present: number): Verdict {
  const shown = 1 - unclear.before.rate;
  if (unclear.before.of === 0 || shown < present)
    return {
      kind: 'not testable',
      why: `one of the sides was recognised in only ${shown.toFixed(2)} of the images before`,
    };
  const value = Math.min(...sides.map(({ before, after }) => after.count / Math.max(before.of, after.of)));
  return verdictOf([{ measure: 'balance', value, least }]);
}
