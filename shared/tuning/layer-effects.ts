import { type Candidate, candidateKey, type MaskChoice, type MaskLayer, type SiteChoice } from './candidate.ts';
import type { Standing } from './standing.ts';
import type { Trial } from './trial.ts';

/** Differences of expected shares that are taken for none: what runs of other images would differ by anyway. */
const negligible = 0.003;

/** What an image kept is worth in images erased, where the layers are put in order by what leaving them out gives. */
const worths = [1, 2.5];
/** How many layers are left out together, the best to leave out first: one may do what another did, so what they give does not add up. */
const counts = [1, 2, 3, 4, 6, 9];

/**
 * A trial's candidate without one layer of one of its masks, for each. None where only one layer is left.
 */
export function withoutEachLayer({ candidate, layers }: Trial): readonly Candidate[] {
  if (layers.length < 2) return [];
  return layers.map((left) =>
    restricted(
      candidate,
      layers,
      layers.filter((layer) => layer !== left),
    ),
  );
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
  const effects = base.layers.map((layer, i) => {
    const without = drops[i]?.standings ?? base.standings;
    return { layer, erased: gain(without, base.standings, 'erased'), kept: gain(without, base.standings, 'kept') };
  });
  const found = new Map<string, Candidate>();
  for (const worth of worths) {
    const inOrder = effects
      .map(({ layer, erased, kept }) => ({ layer, value: erased + worth * kept }))
      .sort((a, b) => b.value - a.value);
    const better = inOrder.filter(({ value }) => value > negligible).length;
    const noWorse = inOrder.filter(({ value }) => value >= -negligible).length;
    for (const count of [...counts.filter((each) => each < better), better, noWorse]) {
      if (count === 0 || count === inOrder.length) continue;
      const out = new Set(inOrder.slice(0, count).map(({ layer }) => layer));
      const left = base.layers.filter((layer) => !out.has(layer));
      const candidate = restricted(base.candidate, base.layers, left);
      found.set(candidateKey(candidate), candidate);
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

/** A candidate whose masks prune some of their layers alone; a site without one is left out. */
function restricted({ masks, ...rest }: Candidate, all: readonly MaskLayer[], left: readonly MaskLayer[]): Candidate {
  const restrict = (mask: string, choice: SiteChoice): SiteChoice[] => {
    const ofSite = (names: readonly MaskLayer[]): readonly string[] =>
      names.filter(({ concept, site }) => concept === mask && site === choice.site).map(({ name }) => name);
    const kept = ofSite(left).filter((name) => choice.layers === undefined || Object.hasOwn(choice.layers, name));
    if (kept.length === 0) return [];
    if (choice.layers === undefined && kept.length === ofSite(all).length) return [choice];
    const ratios = kept.map((name) => [name, choice.layers?.[name] ?? choice.skillRatio] as const);
    return [{ ...choice, layers: Object.fromEntries(ratios) }];
  };
  const restrictMask = (concept: string, mask: MaskChoice): MaskChoice => {
    const sites = mask.sites.flatMap((site) => restrict(concept, site));
    // A mask has at least one site: one that would have none stays as it is.
    return sites.length === 0 ? mask : { ...mask, sites };
  };
  return { ...rest, masks: masks.map(({ concept, mask }) => ({ concept, mask: restrictMask(concept, mask) })) };
}

/**
 * A site's ratios, those of its layers too, times a factor; of what is specific, which has no budget, the room above a margin
 * of 1 divided by it. Two digits: what is finer no number of images would tell apart.
 */
export function scaledSite(site: SiteChoice, by: number): SiteChoice {
  if (site.selection === 'specific') return { ...site, margin: Number((1 + (site.margin - 1) / by).toPrecision(3)) };
  const scaled = (ratio: number): number => Math.min(1, Number((ratio * by).toPrecision(2)));
  if (site.layers === undefined) return { ...site, skillRatio: scaled(site.skillRatio) };
  const layers = Object.entries(site.layers).map(([name, ratio]) => [name, scaled(ratio)] as const);
  return { ...site, layers: Object.fromEntries(layers) };
}
