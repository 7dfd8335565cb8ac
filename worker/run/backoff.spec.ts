import fc from 'fast-check';
import { expect, it } from 'vitest';
import { backoff } from './backoff.ts';

it('doubles up to a limit, and is spread over half of it', () => {
  expect([0, 1, 2, 20].map((attempt) => backoff(attempt, () => 0))).toEqual([125, 250, 500, 7500]);
  fc.assert(
    fc.property(fc.nat(2000), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (attempt, random) => {
      const least = backoff(attempt, () => 0);
      const wait = backoff(attempt, () => random);
      return wait >= least && wait <= 2 * least && wait <= 15_000;
    }),
  );
});
