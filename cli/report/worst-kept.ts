import type { Bystander } from './report-data.ts';

/** The bystander that lost the largest share of before; of two that lost the same the first by name. */
export function worstKept(bystanders: readonly Bystander[]): Bystander | undefined {
  // What was not recognised before cannot be lost.
  const known = bystanders.filter(({ before }) => before.share > 0);
  return known.toSorted((a, b) => keptShare(a) - keptShare(b) || (a.name < b.name ? -1 : 1))[0];
}

/** Accuracy after as a share of before. */
export function keptShare({ before, after }: Bystander): number {
  return before.share === 0 ? 0 : after.share / before.share;
}
