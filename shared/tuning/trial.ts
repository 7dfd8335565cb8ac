import { type Candidate, candidateKey, type MaskLayer } from './candidate.ts';
import { likelyShare, room, shareOf, shortfall, type Standing, worstOf } from './standing.ts';

/** A candidate and what was seen of it so far. */
export interface Trial {
  readonly candidate: Candidate;
  /** Weights that its masks prune together. */
  readonly pruned: number;
  /** By requirement; empty before any image was made. */
  readonly standings: readonly Standing[];
  /** Samples of each validation list that were made. */
  readonly samples: number;
  /** Where each of its masks prunes a weight. */
  readonly layers: readonly MaskLayer[];
}

/** Better first: what is likely to be nearer to meeting everything with room, and of two that are as near the smaller mask. */
export function mostPromisingFirst(trials: readonly Trial[]): readonly Trial[] {
  return leastShortfallFirst(trials, room);
}

/** Less missing first by the likely shares, of two that miss as much the smaller mask. */
function leastShortfallFirst(trials: readonly Trial[], errors: number): readonly Trial[] {
  const share = likelyShare(trials.map(({ standings }) => standings));
  const missing = new Map(trials.map((trial) => [trial, shortfall(trial.standings, errors, share)]));
  return trials.toSorted(
    (a, b) =>
      (missing.get(a) ?? 0) - (missing.get(b) ?? 0) ||
      a.pruned - b.pruned ||
      (candidateKey(a.candidate) < candidateKey(b.candidate) ? -1 : 1),
  );
}

/** Trials that no other beats: none erases and keeps as much with as few weights, and one of the three better. */
export function tradeOffFront(trials: readonly Trial[]): readonly Trial[] {
  return trials.filter((trial) => !trials.some((other) => beats(other, trial)));
}

function beats(a: Trial, b: Trial): boolean {
  const [first, second] = [pointOf(a), pointOf(b)];
  return first.every((value, i) => value >= (second[i] ?? 0)) && first.some((value, i) => value > (second[i] ?? 0));
}

/** More is better. */
function pointOf({ pruned, standings }: Trial): readonly number[] {
  const share = (kind: 'erased' | 'kept'): number => {
    const worst = worstOf(standings, kind);
    return worst === undefined ? 1 : shareOf(worst);
  };
  return [-pruned, share('erased'), share('kept')];
}

/** How sure it is that the best found meets what is asked. */
export type Certainty =
  /** With room for what the validation sample's size leaves open. */
  | 'with room'
  /** On the validation sample, without that room. */
  | 'on the sample'
  /** It does not: it is what misses least. */
  | 'missed';

/** What tuning ends with. */
export interface Winner {
  readonly trial: Trial;
  readonly certainty: Certainty;
}

/**
 * The smallest of the masks that meet every requirement with room, else the likeliest of those that meet them, else the
 * one that misses least. Undefined without trials.
 */
export function chooseWinner(trials: readonly Trial[]): Winner | undefined {
  const smallest = (all: readonly Trial[]): Trial | undefined => all.toSorted((a, b) => a.pruned - b.pruned)[0];
  const withRoom = smallest(trials.filter(({ standings }) => shortfall(standings, room) === 0));
  if (withRoom !== undefined) return { trial: withRoom, certainty: 'with room' };
  const met = trials.filter(({ standings }) => shortfall(standings, 0) === 0);
  // Of those that only just meet it the one nearest to room, not the smallest: it is the likeliest to hold.
  const likeliest = leastShortfallFirst(trials, room).find((trial) => met.includes(trial));
  if (likeliest !== undefined) return { trial: likeliest, certainty: 'on the sample' };
  const [best] = leastShortfallFirst(trials, room);
  return best === undefined ? undefined : { trial: best, certainty: 'missed' };
}
