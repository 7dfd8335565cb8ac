/** Milliseconds before the second attempt, on average, and the most that any attempt waits. */
const [first, most] = [250, 15_000];

/**
 * How long to wait after the attempt of this number (from 0) has failed: doubled each time up to a limit, and anywhere
 * between half of that and all of it, so that workers that lost one coordinator do not return all at once.
 *
 * @param random uniform in [0, 1)
 */
export function backoff(attempt: number, random: () => number): number {
  const limit = Math.min(most, first * 2 ** attempt);
  return limit / 2 + (limit / 2) * random();
}
