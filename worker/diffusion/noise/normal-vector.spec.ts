import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockSize, normalBlock, uniform24 } from './normal-vector.ts';

describe('normalBlock', () => {
  it('changes its 16 values and no other', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(0xffffff), { minLength: 48, maxLength: 48 }), fc.nat(32), (words, start) => {
        const before = Float32Array.from(words, uniform24);
        const after = before.slice();
        normalBlock(after, start);
        expect(after.subarray(0, start)).toEqual(before.subarray(0, start));
        expect(after.subarray(start + blockSize)).toEqual(before.subarray(start + blockSize));
        const alone = before.slice(start, start + blockSize);
        normalBlock(alone, 0);
        expect(after.subarray(start, start + blockSize)).toEqual(alone);
      }),
    );
  });

  it('pairs value j with value j + 8: radius from the first, angle from the second', () => {
    fc.assert(
      fc.property(fc.nat(0xffffff), fc.nat(0xffffff), fc.nat(7), (first, second, j) => {
        const values = new Float32Array(blockSize);
        values[j] = uniform24(first);
        values[j + 8] = uniform24(second);
        const radius = Math.sqrt(-2 * Math.log(1 - uniform24(first)));
        const angle = 2 * Math.PI * uniform24(second);
        normalBlock(values, 0);
        expect(values[j]).toBeCloseTo(radius * Math.cos(angle), 5);
        expect(values[j + 8]).toBeCloseTo(radius * Math.sin(angle), 5);
        expect(values.every((value, i) => i % 8 === j || Object.is(value, 0))).toBe(true); // no negative zero
      }),
    );
  });

  it('stays finite at the ends of the uniform', () => {
    const values = new Float32Array(blockSize).fill(uniform24(0xffffffff));
    normalBlock(values, 0);
    expect(Math.hypot(values[0]!, values[8]!)).toBeCloseTo(Math.sqrt(48 * Math.LN2), 4);
  });
});
