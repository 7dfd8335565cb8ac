import { describe, expect, it } from 'vitest';
import { bfloat16Bits, halfBits, widenBfloat16, widenHalf } from './half-precision.ts';

const every = Uint16Array.from({ length: 2 ** 16 }, (_, i) => i);

describe('widenHalf', () => {
  it('widens the landmarks of binary16', () => {
    const bits = Uint16Array.of(
      0x0000,
      0x8000,
      0x0001,
      0x03ff,
      0x0400,
      0x3c00,
      0x3555,
      0x7bff,
      0xfbff,
      0x7c00,
      0xfc00,
      0x7e00,
    );
    expect([...widenHalf(bits)]).toEqual([
      0,
      -0,
      2 ** -24,
      1023 * 2 ** -24,
      2 ** -14,
      1,
      0.333251953125,
      65504,
      -65504,
      Infinity,
      -Infinity,
      NaN,
    ]);
  });

  it('is strictly increasing over all positive patterns, and odd', () => {
    const wide = widenHalf(every);
    const positive = wide.subarray(0, 0x7c01);
    expect(positive.every((value, i) => i === 0 || value > wide[i - 1]!)).toBe(true);
    expect(wide.subarray(0x8000, 0xfc01)).toEqual(positive.map((value) => -value));
  });
});

describe('widenBfloat16', () => {
  it('is the upper half of fp32 for every pattern', () => {
    const wide = new Uint32Array(widenBfloat16(every).buffer);
    expect(wide).toEqual(Uint32Array.from(every, (bits) => bits * 2 ** 16));
    expect([...widenBfloat16(Uint16Array.of(0x3f80, 0xc000, 0x7f80, 0x4049))]).toEqual([1, -2, Infinity, 3.140625]);
  });
});

/** Between two numbers that follow each other in the dtype: the pattern of the lower one is `bits`. */
const between = (widen: typeof widenHalf, bits: number, share: number): number => {
  const [low = 0, high = 0] = widen(Uint16Array.of(bits, bits + 1));
  return low + share * (high - low);
};

describe.each([
  ['fp16', halfBits, widenHalf, 0x7c00],
  ['bf16', bfloat16Bits, widenBfloat16, 0x7f80],
] as const)('the nearest %s', (_, narrow, widen, infinity) => {
  it('of a number of the dtype is itself', () => {
    for (const sign of [0, 0x8000])
      for (let bits = 0; bits <= infinity; bits++)
        expect(narrow(widen(Uint16Array.of(sign | bits))[0] ?? NaN)).toBe(sign | bits);
  });

  it('of one between two is the nearer, of two as near the even one', () => {
    for (let bits = 0; bits < infinity - 1; bits += 7) {
      const even = bits % 2 === 0 ? bits : bits + 1;
      expect([0.25, 0.5, 0.75].map((share) => narrow(between(widen, bits, share)))).toEqual([bits, even, bits + 1]);
    }
  });

  it('of what is beyond the largest is infinity', () => {
    expect([narrow(3.4e38), narrow(-Infinity)]).toEqual([infinity, infinity | 0x8000]);
  });
});
