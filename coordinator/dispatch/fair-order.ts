/** A campaign and the leases it has. */
export interface Share {
  readonly campaign: string;
  readonly leased: number;
}

/** The order in which campaigns are asked for units: the one with fewest leases first, then by name. */
export function fairOrder<T extends Share>(shares: readonly T[]): readonly T[] {
  return shares.toSorted((a, b) => a.leased - b.leased || (a.campaign < b.campaign ? -1 : 1));
}

/** How many units one campaign is asked for at a time: so few that the others get theirs. */
export function fairPull(credits: number, campaigns: number): number {
  return Math.max(1, Math.ceil(credits / Math.max(1, campaigns)));
}
