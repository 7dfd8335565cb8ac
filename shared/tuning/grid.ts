import { isContrasting, type Selection } from '../method/conceptprune/settings.ts';
import type { SiteName } from '../model/site.ts';
import { type Candidate, candidateKey, type Comparison, type MaskChoice, type SiteChoice } from './candidate.ts';

/** What may be tried; every list has at least one entry. */
export interface GridLimits {
  /** Sites that are pruned together. */
  readonly sites: readonly (readonly SiteName[])[];
  /** Of each site, ascending. */
  readonly skillRatios: Readonly<Record<SiteName, readonly number[]>>;
  readonly selections: readonly Selection[];
  /** Of contrast, ascending. */
  readonly margins: readonly number[];
  /** Of each site's specific selection, ascending; it has no budget: its ratio is 1. */
  readonly specificMargins: Readonly<Record<SiteName, readonly number[]>>;
  readonly selectRatios: readonly number[];
  readonly against: readonly Comparison[];
}

/** Every combination of the limits, the same for each concept; each once, in a fixed order. */
export function gridOf(limits: GridLimits, concepts: readonly string[]): readonly Candidate[] {
  const found = new Map<string, Candidate>();
  for (const mask of masksOf(limits)) {
    const isContrast = mask.sites.some(({ selection }) => isContrasting(selection));
    // Without contrast nothing is compared with the retain list.
    for (const against of isContrast ? limits.against : (['base'] as const)) {
      const candidate = { against, masks: concepts.map((concept) => ({ concept, mask })) };
      found.set(candidateKey(candidate), candidate);
    }
  }
  return [...found.values()];
}

function masksOf(limits: GridLimits): readonly MaskChoice[] {
  return limits.sites.flatMap((names) =>
    limits.selections.flatMap((selection) =>
      // A contrast has one margin for all of its sites.
      (selection === 'contrast' ? limits.margins : [1]).flatMap((margin) =>
        limits.selectRatios.flatMap((selectRatio) =>
          combined(names.map((site) => choicesOf(site, selection, margin, limits))).map((sites): MaskChoice => ({
            selectRatio,
            sites,
          })),
        ),
      ),
    ),
  );
}

/** Every setting of a site with a selection. */
function choicesOf(
  site: SiteName,
  selection: Selection,
  margin: number,
  { skillRatios, specificMargins }: GridLimits,
): readonly SiteChoice[] {
  if (selection === 'specific')
    return specificMargins[site].map((own) => ({ site, skillRatio: 1, selection, margin: own }));
  return skillRatios[site].map((skillRatio) => ({ site, skillRatio, selection, margin }));
}

/** Every combination of one of each. */
function combined<T>(choices: readonly (readonly T[])[]): readonly (readonly T[])[] {
  return choices.reduce<readonly (readonly T[])[]>(
    (sets, own) => sets.flatMap((set) => own.map((each) => [...set, each])),
    [[]],
  );
}

/** 1 / golden ratio: its multiples fill an interval evenly however many there are. */
const golden = (Math.sqrt(5) - 1) / 2;

/**
 * `most` of a list, spread evenly over it: the first of the choice are spread evenly too, so that a smaller budget tries
 * fewer everywhere and not the beginning alone.
 */
export function spread<T>(all: readonly T[], most: number): readonly T[] {
  const order = all.map((item, i) => ({ item, at: ((i + 0.5) / golden) % 1 }));
  return order
    .sort((a, b) => a.at - b.at)
    .slice(0, Math.max(0, most))
    .map(({ item }) => item);
}
