import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BitMatrix, emptyBits, hasBit } from '../tensor/bit-matrix.ts';
import { count, density, difference, isMalformed, overlap, union } from './bit-set.ts';
import { bitsOf, setsOf } from './masks.spec-support.ts';

const [rows, columns] = [3, 11];
const sets = setsOf(rows, columns);

function weightsOf(set: BitMatrix): Set<string> {
  const found = new Set<string>();
  for (let row = 0; row < set.rows; row++)
    for (let column = 0; column < set.columns; column++) if (hasBit(set, row, column)) found.add(`${row} ${column}`);
  return found;
}

describe('bit sets', () => {
  it('do what sets of weights do', () => {
    fc.assert(
      fc.property(sets, sets, (a, b) => {
        const [own, other] = [weightsOf(a), weightsOf(b)];
        expect(weightsOf(union(a, b))).toEqual(new Set([...own, ...other]));
        expect(weightsOf(difference(a, b))).toEqual(new Set([...own].filter((each) => !other.has(each))));
        expect(count(a)).toBe(own.size);
        expect(overlap(a, b)).toBe([...own].filter((each) => other.has(each)).length);
        expect(density(a)).toBe(own.size / 33);
        expect([union(a, b), difference(a, b)].some(isMalformed)).toBe(false);
      }),
    );
  });

  it('count each column in its bit from the least significant, rows from whole bytes', () => {
    expect([
      ...bitsOf(2, 9, [
        [0, 0],
        [0, 8],
        [1, 3],
      ]).bytes,
    ]).toEqual([1, 1, 8, 0]);
  });

  it('refuse sets of different shapes', () => {
    const other = emptyBits(rows, 12);
    for (const operation of [union, difference, overlap])
      expect(() => operation(emptyBits(rows, columns), other)).toThrow(/\[3, 11\].*\[3, 12\]/);
  });
});

describe('isMalformed', () => {
  it.each<[string, BitMatrix]>([
    ['a bit past the last column', { rows: 2, columns: 3, bytes: Uint8Array.of(0, 8) }],
    ['bytes that are missing', { rows: 2, columns: 3, bytes: Uint8Array.of(0) }],
    ['bytes too many', { rows: 2, columns: 8, bytes: Uint8Array.of(0, 0, 0) }],
  ])('sees %s', (_, set) => {
    expect(isMalformed(set)).toBe(true);
  });
});
