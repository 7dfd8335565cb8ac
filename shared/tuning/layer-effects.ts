import { type Candidate, candidateKey, type MaskChoice, type MaskLayer, type SiteChoice } from './candidate.ts';
import type { Standing } from './standing.ts';
import type { Trial } from './trial.ts';

/** Differences of expected shares that are taken for none: what two runs of other images would differ by anyway. */
const negligible = 0.003;

/**
 * How much erasure, in shares of images, may be given up with a layer for one share that is kept more, from frugal to
 * generous. What is given up is won back by pruning more of the layers that are left.
 */
const prices = [0, 0.4, 0.8, 1.4];
/** What the ratios of the layers that are left are multiplied with. */
const strengths = [1, 1.4, 2];

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
 * Candidates that prune only the layers that are worth it, each set of layers with several strengths. Most layers of a site
 * do nothing for a concept and some do harm alone (docs/guide/verify-and-tune.md): leaving these out keeps more and prunes less.
 *
 * @param base the trial that layers were left out of
 * @param drops of `withoutEachLayer(base)`, in its order, on the same images as `base`
 */
export function leanCandidates(base: Trial, drops: readonly Trial[]): readonly Candidate[] {
  const effects = base.layers.map((layer, i) => {
    const without = drops[i]?.standings ?? base.standings;
    return { layer, erased: gain(base.standings, without, 'erased'), kept: gain(without, base.standings, 'kept') };
  });
  const found = new Map<string, Candidate>();
  for (const price of prices) {
    const left = effects
      .filter(({ erased, kept }) => erased > Math.max(negligible, kept < negligible ? 0 : price * kept))
      .map(({ layer }) => layer);
    if (left.length === 0) continue;
    const lean = restricted(base.candidate, base.layers, left);
    for (const strength of strengths) {
      const candidate = strengthened(lean, strength);
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

function strengthened({ masks, ...rest }: Candidate, by: number): Candidate {
  const strengthen = (mask: MaskChoice): MaskChoice => ({
    ...mask,
    sites: mask.sites.map((site) => scaledSite(site, by)),
  });
  return { ...rest, masks: masks.map(({ concept, mask }) => ({ concept, mask: strengthen(mask) })) };
}

/** A site's ratios, those of its layers too, times a factor. Two digits: what is finer no number of images would tell apart. */
export function scaledSite(site: SiteChoice, by: number): SiteChoice {
  const scaled = (ratio: number): number => Math.min(1, Number((ratio * by).toPrecision(2)));
  if (site.layers === undefined) return { ...site, skillRatio: scaled(site.skillRatio) };
  const layers = Object.entries(site.layers).map(([name, ratio]) => [name, scaled(ratio)] as const);
  return { ...site, layers: Object.fromEntries(layers) };
}
