import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { log32 } from './log32.ts';

describe('log32', () => {
  it('is the logarithm of every uniform, within two units of the last place of float32', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 24 }), (k) => {
        const exact = Math.log(k * 2 ** -24);
        expect(Math.abs(log32(k * 2 ** -24) - exact)).toBeLessThanOrEqual(Math.abs(exact) * 2 ** -22);
      }),
      { numRuns: 5000 },
    );
  });

  it('is a float32 number, and 0 at 1', () => {
    expect(log32(1)).toBe(0);
    expect(log32(0.3)).toBe(Math.fround(log32(0.3)));
  });
});
