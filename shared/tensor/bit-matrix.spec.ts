import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasBit, rowBytes, setPlaces } from './bit-matrix.ts';

describe('setPlaces', () => {
  it('are where the bits of those rows are, in rising order', () => {
    const matrix = fc
      .record({ rows: fc.integer({ min: 1, max: 6 }), columns: fc.integer({ min: 1, max: 34 }), seed: fc.nat() })
      .chain(({ rows, columns }) =>
        fc.record({
          rows: fc.constant(rows),
          columns: fc.constant(columns),
          bits: fc.array(fc.boolean(), { minLength: rows * columns, maxLength: rows * columns }),
          first: fc.integer({ min: 0, max: rows }),
        }),
      );
    fc.assert(
      fc.property(matrix, ({ rows, columns, bits, first }) => {
        const bytes = new Uint8Array(rows * rowBytes(columns));
        for (const [i, bit] of bits.entries()) {
          const [row, column] = [Math.floor(i / columns), i % columns];
          if (bit) bytes[row * rowBytes(columns) + (column >> 3)]! |= 1 << (column & 7);
        }
        const set = { rows, columns, bytes };
        const expected = bits.flatMap((_, i) => (hasBit(set, Math.floor(i / columns), i % columns) ? [i] : []));
        const from = first * columns;
        expect([...setPlaces(set, first, rows - first)]).toEqual(
          expected.filter((place) => place >= from).map((place) => place - from),
        );
      }),
    );
  });
});
