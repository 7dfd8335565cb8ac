import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fma32 } from './fma32.ts';

const { fround } = Math;

/** Every finite float32 number is an integer multiple of 2^-149. */
const unit = 149;

/** A float64 number as an integer multiple of 2^-149. */
function multiple(value: number): bigint {
  const scaled = value * 2 ** 100; // exact: no float32 number is large enough to overflow
  return scaled % 1 === 0 ? BigInt(scaled) << BigInt(unit - 100) : BigInt(value * 2 ** unit);
}

/** a · b + c in integers, rounded once to float32, ties to even: the definition, with no floating-point arithmetic. */
function fusedByDefinition(a: number, b: number, c: number): number {
  const exact = multiple(a) * multiple(b) + (multiple(c) << BigInt(unit)); // a multiple of 2^-298
  const negative = exact < 0n;
  const magnitude = negative ? -exact : exact;
  const dropped = BigInt(Math.max(unit, magnitude.toString(2).length - 24)); // keep 24 bits, none below 2^-149
  const kept = magnitude >> dropped;
  const remainder = magnitude - (kept << dropped);
  const middle = 1n << (dropped - 1n);
  const up = remainder > middle || (remainder === middle && (kept & 1n) === 1n);
  const rounded = Number(kept + (up ? 1n : 0n)) * 2 ** (Number(dropped) - 2 * unit);
  return negative ? -rounded : rounded;
}

const finite = fc.float({ noNaN: true, noDefaultInfinity: true });
const moderate = fc.float({ noNaN: true, min: -(2 ** 60), max: 2 ** 60 });
const mantissa = fc.integer({ min: 2 ** 23, max: 2 ** 24 - 1 });

describe('fma32', () => {
  it('rounds once where float64 would round twice, on either side of the middle', () => {
    const ulp = 2 ** -23;
    // 1 + 2^-24 + 2^-70: float64 makes it the middle of 1 and 1 + ulp, whose even side is 1.
    const above = [1 + ulp, 2 ** -24 * (1 + ulp), 1] as const;
    expect(fma32(...above)).toBe(1 + ulp);
    // 1 + ulp + 2^-24 - 2^-70: float64 makes it the middle of 1 + ulp and 1 + 2 ulp, whose even side is the latter.
    const below = [1 + ulp, 2 ** -24 * (1 - ulp), 1 + ulp] as const;
    expect(fma32(...below)).toBe(1 + ulp);
    expect(fround(below[0] * below[1] + below[2])).toBe(1 + 2 * ulp);
    expect(fma32(-below[0], below[1], -below[2])).toBe(-1 - ulp);
  });

  it('resolves true ties to even', () => {
    expect(fma32(2 ** -24, 1, 1)).toBe(1);
    expect(fma32(3 * 2 ** -24, 1, 1)).toBe(1 + 2 ** -22);
  });

  it('is a · b + c rounded once, by integer arithmetic', () => {
    fc.assert(
      fc.property(moderate, moderate, finite, (a, b, c) => {
        const expected = fusedByDefinition(a, b, c);
        fc.pre(Math.abs(expected) < 2 ** 128);
        expect(fma32(a, b, c) + 0).toBe(expected + 0);
      }),
      { numRuns: 5000 },
    );
  });

  it('is so where the product is about half of the last place of the addend', () => {
    fc.assert(
      fc.property(
        mantissa,
        mantissa,
        mantissa,
        fc.integer({ min: -100, max: 100 }),
        fc.boolean(),
        (p, q, r, e, minus) => {
          // One factor near 1/m of the other: the product is near a power of two.
          const a = (minus ? -p : p) * 2 ** -23;
          const b = fround((1 / p + (q - 2 ** 23) * 2 ** -70) * 2 ** (e - 24 + 23));
          const c = r * 2 ** (e - 23);
          expect(fma32(a, b, c)).toBe(fusedByDefinition(a, b, c));
          const b1 = fround(1 + (q % 8) * 2 ** -23) * 2 ** (e - 24);
          const a1 = fround(1 - (p % 8) * 2 ** -23) * (minus ? -1 : 1);
          expect(fma32(a1, b1, c)).toBe(fusedByDefinition(a1, b1, c));
        },
      ),
      { numRuns: 5000 },
    );
  });

  it('is so among subnormal numbers', () => {
    const small = fc.integer({ min: -(2 ** 24), max: 2 ** 24 });
    fc.assert(
      fc.property(small, small, small, (p, q, r) => {
        const [a, b, c] = [p * 2 ** -84, q * 2 ** -90, r * 2 ** -149];
        expect(fma32(a, b, c) + 0).toBe(fusedByDefinition(a, b, c) + 0);
      }),
      { numRuns: 2000 },
    );
  });
});
