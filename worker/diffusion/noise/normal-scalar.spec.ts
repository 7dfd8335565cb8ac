import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalPair, uniform53 } from './normal-scalar.ts';

const word = fc.nat(0xffffffff);

describe('normalPair', () => {
  it('takes the angle from the first uniform and the radius from the second', () => {
    fc.assert(
      fc.property(word, word, word, word, (a, b, c, d) => {
        const [u1, u2] = [uniform53(a, b), uniform53(c, d)];
        const { now, later } = normalPair(u1, u2);
        expect(Math.hypot(now, later)).toBeCloseTo(Math.sqrt(-2 * Math.log1p(-u2)), 12);
        const turns = Math.atan2(later, now) / (2 * Math.PI);
        fc.pre(u2 > 0);
        expect(Math.abs(((turns - u1 + 1.5) % 1) - 0.5)).toBeLessThan(1e-12);
      }),
    );
  });
});

describe('uniform53', () => {
  it('reads the low 53 bits of two words, the first high', () => {
    expect(uniform53(0, 1)).toBe(2 ** -53);
    expect(uniform53(1, 0)).toBe(2 ** -21);
    expect(uniform53(0xffe00000, 0)).toBe(0);
    expect(uniform53(0xffffffff, 0xffffffff)).toBe(1 - 2 ** -53);
  });
});
