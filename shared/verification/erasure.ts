import { type Interval, type Rate, rateWhere } from './rate.ts';
import { type Label, type SeenImage, shows } from './test-image.ts';

/** How often something is recognised where it is asked for, before and after. */
export interface Kept {
  readonly before: Rate;
  readonly after: Rate;
  /** after / before; undefined where it was never recognised before. */
  readonly share: number | undefined;
  /** 95 %, of the rate after, as a share of the rate before, which is taken as it was counted. */
  readonly interval: Interval;
}

/** A concept or style that was not to be touched. */
export interface OtherLabel extends Label, Kept {}

/**
 * What a mask has done to a concept and to the rest, in the terms of UnlearnCanvas (arXiv 2402.11846).
 *
 * The rest are images whose prompts do not name the target; a label counts where the prompt names it.
 */
export interface Erasure {
  readonly target: Label;
  /** Images of the target that were recognised as it before. */
  readonly before: Rate;
  /** Unlearning accuracy: images of the target that are not recognised as it after. */
  readonly ua: Rate;
  /** In-domain retention: the rest by the target's own head. */
  readonly ira: Kept;
  /** Cross-domain retention: the rest by the other heads. */
  readonly cra: Kept;
  /** Every label that the rest name, by head and then in the classifier's order. */
  readonly others: readonly OtherLabel[];
  /** The one of `others` that is kept least, of those that were there before. */
  readonly worst: OtherLabel | undefined;
  /** Mean pixel distance of the rest, which should not change. */
  readonly distance: number | undefined;
}

/**
 * @param targets images whose prompts name the target
 * @param rest images whose prompts do not
 * @param present the least rate before at which a label counts as there
 */
export function measureErasure(
  target: Label,
  targets: readonly SeenImage[],
  rest: readonly SeenImage[],
  present: number,
): Erasure {
  const others = labelsOf(rest).map((label): OtherLabel => {
    const named = rest.filter(({ asked }) => shows(asked, label));
    return { ...label, ...keptOf(named.map((image) => ({ image, label }))) };
  });
  const there = others.filter(({ before }) => before.rate >= present);
  return {
    target,
    before: rateWhere(targets, ({ before }) => shows(before, target)),
    ua: rateWhere(targets, ({ after }) => !shows(after, target)),
    ira: keptOf(namesOf(rest, (head) => head === target.head)),
    cra: keptOf(namesOf(rest, (head) => head !== target.head)),
    others,
    worst: there.toSorted((a, b) => (a.share ?? 0) - (b.share ?? 0))[0],
    distance: rest.length === 0 ? undefined : rest.reduce((sum, { distance }) => sum + distance, 0) / rest.length,
  };
}

interface Named {
  readonly image: SeenImage;
  readonly label: Label;
}

/** Every label that an image's prompt names, of some heads. */
function namesOf(images: readonly SeenImage[], isWanted: (head: string) => boolean): readonly Named[] {
  return images.flatMap((image) =>
    Object.entries(image.asked).flatMap(([head, label]) => (isWanted(head) ? [{ image, label: { head, label } }] : [])),
  );
}

function keptOf(names: readonly Named[]): Kept {
  const before = rateWhere(names, ({ image, label }) => shows(image.before, label));
  const after = rateWhere(names, ({ image, label }) => shows(image.after, label));
  if (before.rate === 0) return { before, after, share: undefined, interval: { low: 0, high: Infinity } };
  const { low, high } = after.interval;
  return {
    before,
    after,
    share: after.rate / before.rate,
    interval: { low: low / before.rate, high: high / before.rate },
  };
}

function labelsOf(images: readonly SeenImage[]): readonly Label[] {
  const found = new Map<string, Map<string, Label>>();
  for (const { head, label } of namesOf(images, () => true).map((named) => named.label)) {
    const labels = found.get(head) ?? new Map<string, Label>();
    found.set(head, labels.set(label, { head, label }));
  }
  return [...found.values()].flatMap((labels) => [...labels.values()]);
}
