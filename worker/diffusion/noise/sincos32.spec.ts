import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sincos32 } from './sincos32.ts';

describe('sincos32', () => {
  it('is sine and cosine in every octant, within the last place of 1 in float32', () => {
    fc.assert(
      fc.property(fc.float({ min: 0, max: Math.fround(2 * Math.PI), noNaN: true }), (angle) => {
        const { sin, cos } = sincos32(angle);
        expect(Math.abs(sin - Math.sin(angle))).toBeLessThan(2 ** -23);
        expect(Math.abs(cos - Math.cos(angle))).toBeLessThan(2 ** -23);
      }),
      { numRuns: 5000 },
    );
  });

  it('is exact at 0', () => {
    expect(sincos32(0)).toEqual({ sin: 0, cos: 1 });
  });
});
