import { type Candidate, candidateKey, type MaskLayer, type SiteChoice } from './candidate.ts';
import type { Standing } from './standing.ts';
import type { Trial } from './trial.ts';

/** Differences of expected shares that are taken for none: what runs of other images would differ by anyway. */
const negligible = 0.003;

/** What an image kept is worth in images erased, where the layers are put in order by what leaving them out gives. */
const worths = [1, 2.5];
/** Margins of two decimals. */
const leastMarginStep = 0.01;
/** How many layers are left out together, the best to leave out first: one may do what another did, so what they give does not add up. */
const counts = [1, 2, 3, 4, 6, 9];

/** A trial's candidate without one layer of one of its masks, for each layer that is not its mask's only one. */
export function withoutEachLayer(trial: Trial): readonly Candidate[] {
  // Of each there is one, as `leanCandidates` counts on: another layer of the mask is left.
  return removableLayers(trial).flatMap((out) => without(trial, new Set([out])) ?? []);
}

/** A mask has at least one layer: the only one of a mask stays. */
function removableLayers({ layers }: Trial): readonly MaskLayer[] {
  return layers.filter(({ concept }) => layers.filter((other) => other.concept === concept).length > 1);
}

/**
 * Candidates without the layers that are better left out, a few of them and more and more; the last without all that do
 * nothing. Most layers of a site do nothing for a concept and some only harm (docs/guide/verify-and-tune.md): without these
 * more is kept, or erased, and less is pruned.
 *
 * @param base the trial that layers were left out of
 * @param drops of `withoutEachLayer(base)`, in its order, on the same images as `base`
 */
export function leanCandidates(base: Trial, drops: readonly Trial[]): readonly Candidate[] {
  const effects = removableLayers(base).map((layer, i) => {
    const after = drops[i]?.standings ?? base.standings;
    return { layer, erased: gain(after, base.standings, 'erased'), kept: gain(after, base.standings, 'kept') };
  });
  const found = new Map<string, Candidate>();
  for (const worth of worths) {
    const inOrder = effects
      .map(({ layer, erased, kept }) => ({ layer, value: erased + worth * kept }))
      .sort((a, b) => b.value - a.value);
    const better = inOrder.filter(({ value }) => value > negligible).length;
    const noWorse = inOrder.filter(({ value }) => value >= -negligible).length;
    for (const count of [...counts.filter((each) => each < better), better, noWorse]) {
      const candidate = without(base, new Set(inOrder.slice(0, count).map(({ layer }) => layer)));
      if (candidate !== undefined) found.set(candidateKey(candidate), candidate);
    }
  }
  found.delete(candidateKey(base.candidate));
  return [...found.values()];
}

/** By how much the shares of a side are higher in `a` than in `b`, together. */
function gain(a: readonly Standing[], b: readonly Standing[], kind: 'erased' | 'kept'): number {
  return a.reduce(
    (sum, { requirement, expected }, i) =>
      requirement.side.kind === kind ? sum + expected - (b[i]?.expected ?? expected) : sum,
    0,
  );
}

/** A trial's candidate without some of its layers, and the sites that lose all; undefined if a mask would lose every layer. */
function without({ candidate, layers }: Trial, out: ReadonlySet<MaskLayer>): Candidate | undefined {
  const restrict = (concept: string, choice: SiteChoice): readonly SiteChoice[] => {
    const all = layers.filter((layer) => layer.concept === concept && layer.site === choice.site);
    const left = all.filter((layer) => !out.has(layer));
    if (left.length === 0) return [];
    if (left.length === all.length) return [choice];
    const ratios = left.map(({ name }) => [name, choice.layers?.[name] ?? choice.skillRatio] as const);
    return [{ ...choice, layers: Object.fromEntries(ratios) }];
  };
  const masks = candidate.masks.map(({ concept, mask }) => {
    return { concept, mask: { ...mask, sites: mask.sites.flatMap((site) => restrict(concept, site)) } };
  });
  return masks.some(({ mask }) => mask.sites.length === 0) ? undefined : { ...candidate, masks };
}

/**
 * A site's ratios, those of its layers too, times a factor; of what is specific, which has no budget, what its margin is above
 * 1 divided by it. Two digits of a ratio, two decimals of a margin: what is finer no number of images would tell apart.
 */
export function scaledSite(site: SiteChoice, by: number): SiteChoice {
  if (site.selection === 'specific') return { ...site, margin: scaledMargin(site.margin, by) };
  const scaled = (ratio: number): number => Math.min(1, Number((ratio * by).toPrecision(2)));
  if (site.layers === undefined) return { ...site, skillRatio: scaled(site.skillRatio) };
  const layers = Object.entries(site.layers).map(([name, ratio]) => [name, scaled(ratio)] as const);
  return { ...site, layers: Object.fromEntries(layers) };
}

/** Close to 1 a step of its own, or rounding would undo it; below 1 nothing more is pruned than at 1. */
function scaledMargin(margin: number, by: number): number {
  const above = Math.max(0, margin - 1);
  const moved = by < 1 ? Math.max(above / by, above + leastMarginStep) : Math.min(above / by, above - leastMarginStep);
  return Number((1 + Math.max(0, moved)).toFixed(2));
}
