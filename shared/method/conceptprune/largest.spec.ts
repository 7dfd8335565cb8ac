import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kthLargest, orderedKey } from './largest.ts';

const keys = fc.array(fc.oneof(fc.nat({ max: 2 ** 32 - 1 }), fc.constantFrom(0, 1, 2 ** 31, 2 ** 32 - 1)), {
  minLength: 1,
  maxLength: 60,
});

describe('kthLargest', () => {
  it('is what sorting says, for every rank', () => {
    fc.assert(
      fc.property(keys, (list) => {
        const sorted = list.toSorted((a, b) => b - a);
        const scratch = new Uint32Array(list.length);
        for (const [i, expected] of sorted.entries())
          expect(kthLargest(Uint32Array.from(list), list.length, i + 1, scratch)).toBe(expected);
      }),
    );
  });
});

describe('orderedKey', () => {
  const keyOf = (value: number) => orderedKey(new Uint32Array(Float32Array.of(value).buffer)[0]!);

  it('orders as fp32 does, with one key for both zeros', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true }), fc.float({ noNaN: true }), (a, b) => {
        expect(Math.sign(keyOf(a) - keyOf(b))).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
    expect(keyOf(-0)).toBe(keyOf(0));
  });
});
