/** Something that is timed: one call of it. */
export type Subject = () => Promise<unknown>;

/**
 * Seconds of each subject in each round. Subjects take turns, A B C A B C, so that what slows the machine down for a
 * while slows them all; the order turns round every other round, so that none always runs after the same one.
 *
 * @param clock milliseconds
 * @param warmUp rounds that are run first and not counted
 */
export async function timePaired(
  subjects: readonly Subject[],
  rounds: number,
  warmUp: number,
  clock: () => number,
): Promise<readonly (readonly number[])[]> {
  const seconds = subjects.map((): number[] => []);
  for (let round = -warmUp; round < rounds; round++) {
    const order = [...subjects.entries()];
    if (round % 2 !== 0) order.reverse();
    for (const [i, subject] of order) {
      const start = clock();
      await subject();
      if (round >= 0) seconds[i]?.push((clock() - start) / 1000);
    }
  }
  return seconds;
}

/** NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const high = sorted[Math.floor(middle)] ?? NaN;
  return Number.isInteger(middle) ? (high + (sorted[middle - 1] ?? NaN)) / 2 : high;
}

/** The median over rounds of a / b: a ratio within a round does not see what changes between rounds. */
export function medianRatio(a: readonly number[], b: readonly number[]): number {
  return median(a.map((value, i) => value / (b[i] ?? NaN)));
}
