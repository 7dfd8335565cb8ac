/** Seconds, for every histogram of durations: a tiny model takes milliseconds, a large one on a CPU minutes; 1 s is told from 2, 3 and 5 s. */
export const durationBuckets: readonly number[] = [
  0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 7.5, 10, 20, 30, 60, 120, 300, 1000,
];
