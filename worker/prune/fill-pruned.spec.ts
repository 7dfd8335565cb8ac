import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bfloat16Bits, halfBits, widenBfloat16, widenHalf } from '../../shared/checkpoint/half-precision.ts';
import { type BitMatrix, emptyBits, hasBit } from '../../shared/tensor/bit-matrix.ts';
import { fillPruned } from './fill-pruned.ts';
import { allBits, someBits } from './masks.spec-support.ts';

type Dtype = 'F32' | 'F16' | 'BF16';
const dtypes: readonly Dtype[] = ['F32', 'F16', 'BF16'];

function stored(dtype: Dtype, values: readonly number[]): Uint8Array {
  if (dtype === 'F32') return new Uint8Array(Float32Array.from(values).buffer);
  return new Uint8Array(Uint16Array.from(values, dtype === 'F16' ? halfBits : bfloat16Bits).buffer);
}

function read(dtype: Dtype, bytes: Uint8Array): Float32Array {
  const buffer = Uint8Array.from(bytes).buffer;
  if (dtype === 'F32') return new Float32Array(buffer);
  return dtype === 'F16' ? widenHalf(new Uint16Array(buffer)) : widenBfloat16(new Uint16Array(buffer));
}

const matrix = fc.record({
  dtype: fc.constantFrom(...dtypes),
  rows: fc.integer({ min: 1, max: 5 }),
  columns: fc.integer({ min: 1, max: 19 }),
  /** Of the weights: down to what a dtype cannot hold a tenth of. */
  scale: fc.constantFrom(0, 1e-45, 6e-8, 1e-5, 0.02, 3),
  seed: fc.nat(),
});

function made({ dtype, rows, columns, scale, seed }: typeof matrix extends fc.Arbitrary<infer T> ? T : never) {
  const values = Array.from({ length: rows * columns }, (_, i) => Math.fround(scale * Math.sin(seed + 7 * i)));
  return { bytes: stored(dtype, values), set: someBits(seed, 3)(rows, columns) };
}

const pruned = (set: BitMatrix, i: number) => hasBit(set, Math.floor(i / set.columns), i % set.columns);

describe('filling pruned weights', () => {
  it('leaves all others as they are; with zeros all pruned ones are 0, with noise none is', () => {
    fc.assert(
      fc.property(matrix, (given) => {
        const { dtype } = given;
        const { bytes, set } = made(given);
        const [zeros, noise] = [bytes.slice(), bytes.slice()];
        fillPruned('w', dtype, zeros, set, { kind: 'zero' });
        fillPruned('w', dtype, noise, set, { kind: 'noise', seed: 'a' });
        const [before, zeroed, noised] = [bytes, zeros, noise].map((each) => read(dtype, each));
        for (let i = 0; i < set.rows * set.columns; i++) {
          expect(Object.is(zeroed?.[i], pruned(set, i) ? 0 : before?.[i])).toBe(true);
          if (pruned(set, i)) expect(Math.abs(noised?.[i] ?? 0)).toBeGreaterThan(0);
          else expect(Object.is(noised?.[i], before?.[i])).toBe(true);
        }
      }),
    );
  });

  it.each(dtypes)('in %s: noise is a tenth of its row’s deviation, decided by seed and name', (dtype) => {
    const [rows, columns] = [4, 4000];
    const scales = [0.01, 1, 0.1, 10];
    const values = Array.from({ length: rows * columns }, (_, i) => {
      return (scales[Math.floor(i / columns)] ?? 0) * (3 + Math.SQRT2 * Math.sin(i * i));
    });
    const fill = (name: string, seed: string) => {
      const bytes = stored(dtype, values);
      fillPruned(name, dtype, bytes, allBits(rows, columns), { kind: 'noise', seed });
      return bytes;
    };
    const once = read(dtype, fill('w', 'a'));
    for (const [row, scale] of scales.entries()) {
      const drawn = once.subarray(row * columns, (row + 1) * columns);
      const mean = drawn.reduce((sum, value) => sum + value, 0) / columns;
      const deviation = Math.sqrt(drawn.reduce((sum, value) => sum + value * value, 0) / columns);
      expect(deviation / scale).toBeGreaterThan(0.095);
      expect(deviation / scale).toBeLessThan(0.105);
      expect(Math.abs(mean / scale)).toBeLessThan(0.01);
    }
    expect(fill('w', 'a')).toEqual(fill('w', 'a'));
    expect(fill('w', 'b')).not.toEqual(fill('w', 'a'));
    expect(fill('v', 'a')).not.toEqual(fill('w', 'a'));
  });

  it('gives fp32 weights that were once shorter numbers of that length: digits do not tell the new ones', () => {
    const values = Array.from({ length: 64 }, (_, i) => 0.03 * Math.sin(i + 1));
    for (const [round, bits] of [
      [widenHalf, halfBits],
      [widenBfloat16, bfloat16Bits],
    ] as const) {
      const bytes = stored('F32', [...round(Uint16Array.from(values, bits))]);
      fillPruned('w', 'F32', bytes, someBits(3, 2)(8, 8), { kind: 'noise', seed: 'a' });
      const after = read('F32', bytes);
      expect(round(Uint16Array.from(after, bits))).toEqual(after);
    }
  });

  it('takes weights that are not finite, and refuses a dtype that no model has', () => {
    const bytes = stored('F32', [1, Infinity, NaN, -1]);
    const set = { rows: 1, columns: 4, bytes: Uint8Array.of(0b0110) };
    fillPruned('w', 'F32', bytes, set, { kind: 'noise', seed: 'a' });
    expect(read('F32', bytes).every((value) => Number.isFinite(value) && value !== 0)).toBe(true);
    expect(() => {
      fillPruned('w', 'I8', new Uint8Array(4), emptyBits(1, 4), { kind: 'zero' });
    }).toThrow(expect.objectContaining({ code: 'tensor-mismatch', where: 'w' }));
  });
});
