/** What masks have to reach. */
export interface Requirement {
  /** For people and for telling requirements apart, such as `UA of violin`. */
  readonly name: string;
  /** Whether it is about what is erased, and then of which concept, or about what is kept. */
  readonly side: { readonly kind: 'erased'; readonly concept: string } | { readonly kind: 'kept' };
  /** The concept whose mask is active by itself; absent, all masks are. */
  readonly alone?: string;
  /** In [0, 1]. */
  readonly least: number;
}

/** How candidates did in one requirement: images that speak for it, of those that could. */
export interface Standing {
  readonly requirement: Requirement;
  readonly hits: number;
  /** Of `kept`, images recognised before: so the share is one of before. */
  readonly of: number;
  /**
   * The share as the classifier's probabilities have it. Of the same few images it tells two masks apart where the counts
   * are equal; it is off the counted share by about the same for all of them.
   */
  readonly expected: number;
}

/** A standing as it was counted. */
export type Counted = Omit<Standing, 'expected'>;

/** Share of images; at most 1, since pruning can make images recognised that were not before. 0 of none. */
export function shareOf({ hits, of }: Counted): number {
  return of === 0 ? 0 : Math.min(1, hits / of);
}

/**
 * What a share may be off by chance, one standard error. From (hits + 1) / (of + 2), so that all of a few images is not
 * taken for certain.
 */
export function standardError({ hits, of }: Counted): number {
  const share = (Math.min(hits, of) + 1) / (of + 2);
  return Math.sqrt((share * (1 - share)) / (of + 2));
}

/**
 * Standard errors by which a share has to be above its threshold to count as met "with room": of masks that are truly at a
 * threshold one in six passes, and verify decides.
 */
export const room = 1;

/** What is missing to the requirements when every share is taken `errors` standard errors lower; 0 if they are met. */
export function shortfall(
  standings: readonly Standing[],
  errors: number,
  share: (standing: Standing) => number = shareOf,
): number {
  return standings.reduce((sum, standing) => {
    const least = share(standing) - errors * standardError(standing);
    return sum + Math.max(0, standing.requirement.least - least);
  }, 0);
}

/**
 * The share that a trial is likely to have on other images: the expected one, corrected by what the counted shares of all
 * of these trials are off their expected ones.
 */
export function likelyShare(trials: readonly (readonly Standing[])[]): (standing: Standing) => number {
  const off = new Map<string, { sum: number; of: number }>();
  for (const standing of trials.flat()) {
    const { sum, of } = off.get(standing.requirement.name) ?? { sum: 0, of: 0 };
    const difference = shareOf(standing) - standing.expected;
    off.set(standing.requirement.name, { sum: sum + standing.of * difference, of: of + standing.of });
  }
  return (standing) => {
    const { sum, of } = off.get(standing.requirement.name) ?? { sum: 0, of: 0 };
    return Math.min(1, Math.max(0, standing.expected + (of === 0 ? 0 : sum / of)));
  };
}

/** The lowest share of a side with all masks active; undefined if nothing was asked of it. */
export function worstOf(standings: readonly Standing[], kind: Requirement['side']['kind']): Standing | undefined {
  const own = standings.filter(({ requirement: { side, alone } }) => side.kind === kind && alone === undefined);
  return own.toSorted((a, b) => shareOf(a) - shareOf(b))[0];
}
