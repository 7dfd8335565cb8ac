import { rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { halfBits } from '../../shared/checkpoint/half-precision.ts';
import { newDirectory } from '../../shared/checkpoint/fixture.spec-support.ts';
import type { Input, Parameter } from '../../shared/model/graph/value.ts';
import { type BitMatrix, emptyBits, setPlaces } from '../../shared/tensor/bit-matrix.ts';
import { readPruned } from './pruned-weights.ts';
import { SwitchedWeights } from './switched-weights.ts';

const [rows, columns, before] = [6, 10, 3];
const values = Float32Array.from({ length: rows * columns }, (_, i) => (i === 7 ? Infinity : (i + 1) / 64));

let folder: string;
let file: string;
beforeAll(async () => {
  folder = await newDirectory();
  file = join(folder, 'weights');
  const halves = new Uint8Array(Uint16Array.from(values, halfBits).buffer);
  // Not aligned, as in old files.
  await writeFile(file, Buffer.concat([Buffer.alloc(before), halves]));
});
afterAll(() => rm(folder, { recursive: true }));

/** Rows `from` to `to` of the matrix. */
const rowsOf = (from: number, to: number): Parameter => ({
  kind: 'parameter',
  name: `w[${from}:${to}]`,
  type: { element: 'float16', shape: [to - from, columns] },
  location: { file, offset: before + 2 * from * columns, length: 2 * (to - from) * columns },
});

const sets = fc
  .array(fc.uint8Array({ minLength: rows * 2, maxLength: rows * 2 }), { minLength: 1, maxLength: 4 })
  .map((all) =>
    all.map((bytes): BitMatrix => ({ rows, columns, bytes: bytes.map((byte, i) => (i % 2 === 0 ? byte : byte & 3)) })),
  );

/** The rows with the set's entries 0. */
function expected(set: BitMatrix, from: number, to: number): Float32Array {
  const kept = values.slice(from * columns, to * columns);
  for (const place of setPlaces(set, from, to - from)) kept[place] = 0;
  return kept;
}

describe('switched weights', () => {
  it('are those of the set a run names, after any other set, as a whole and in parts', async () => {
    await fc.assert(
      fc.asyncProperty(sets, fc.array(fc.nat(), { minLength: 1, maxLength: 6 }), async (given, order) => {
        const parts = [
          [0, rows],
          [0, 2],
          [2, rows],
        ] as const;
        const inputs = parts.map(([from, to]): Input => {
          const stored = rowsOf(from, to);
          const weight = { stored, sets: given.map((set) => ({ set, first: from })) };
          return { kind: 'input', name: stored.name, type: { element: 'float', shape: stored.type.shape }, weight };
        });
        const switched = await SwitchedWeights.read(inputs);
        for (const each of order) {
          const chosen = each % given.length;
          const fed = switched.feeds(chosen);
          for (const [i, [from, to]] of parts.entries())
            expect(fed[i]?.values).toEqual(expected(given[chosen] ?? emptyBits(rows, columns), from, to));
        }
      }),
      { numRuns: 30 },
    );
  });

  it('have to be named one of their sets', async () => {
    const stored = rowsOf(0, rows);
    const weight = { stored, sets: [{ set: emptyBits(rows, columns), first: 0 }] };
    const switched = await SwitchedWeights.read([
      { kind: 'input', name: 'w', type: { element: 'float', shape: [rows, columns] }, weight },
    ]);
    for (const set of [undefined, 1])
      expect(() => switched.feeds(set)).toThrow(expect.objectContaining({ code: 'session-failed', where: 'w' }));
    expect((await SwitchedWeights.read([])).feeds(undefined)).toEqual([]);
  });
});

describe('a pruned weight', () => {
  it('has the bytes of its file, with zeros where it is pruned', async () => {
    await fc.assert(
      fc.asyncProperty(sets, async ([set = emptyBits(rows, columns)]) => {
        const bytes = await readPruned({ ...rowsOf(2, rows), pruned: { set, first: 2 } });
        const halves = Uint16Array.from(expected(set, 2, rows), halfBits);
        expect(new Uint8Array(bytes)).toEqual(new Uint8Array(halves.buffer));
      }),
      { numRuns: 30 },
    );
  });

  it('is refused by its name where the file has become shorter', async () => {
    const set = emptyBits(rows, columns);
    await truncate(file, 50);
    await expect(readPruned({ ...rowsOf(0, rows), pruned: { set, first: 0 } })).rejects.toMatchObject({
      code: 'safetensors-invalid',
      where: expect.stringContaining('w[0:6]') as string,
    });
  });
});
