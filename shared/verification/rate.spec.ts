import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rateOf } from './rate.ts';

describe('rateOf', () => {
  // Newcombe 1998, Statistics in Medicine 17:857-872, table I, method 3.
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('gives the published interval of %i of %i', (count, of, low, high) => {
    const { rate, interval } = rateOf(count, of);
    expect(rate).toBe(count / of);
    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  });

  it('knows nothing of nothing', () => {
    expect(rateOf(0, 0)).toMatchObject({ rate: 0, interval: { low: 0, high: 1 } });
  });

  it('has the rate inside the interval, mirrored for what does not hold, and narrower the more was counted', () => {
    const counted = fc
      .integer({ min: 1, max: 10_000 })
      .chain((of) => fc.record({ of: fc.constant(of), count: fc.integer({ min: 0, max: of }) }));
    fc.assert(
      fc.property(counted, ({ count, of }) => {
        const { rate, interval } = rateOf(count, of);
        const mirrored = rateOf(of - count, of).interval;
        expect(interval.low).toBeLessThanOrEqual(rate);
        expect(interval.high).toBeGreaterThanOrEqual(rate);
        expect(interval.low).toBeGreaterThanOrEqual(0);
        expect(interval.high).toBeLessThanOrEqual(1);
        expect(mirrored.low).toBeCloseTo(1 - interval.high, 12);
        const more = rateOf(4 * count, 4 * of).interval;
        expect(more.high - more.low).toBeLessThan(interval.high - interval.low);
      }),
    );
  });
});
