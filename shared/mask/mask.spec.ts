import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyBits } from '../tensor/bit-matrix.ts';
import { union } from './bit-set.ts';
import { densities, maskOverlap } from './compare-masks.ts';
import { bitsAt, type Mask, maskOf, uniteMasks } from './mask.ts';
import { encodeMask } from './mask-file.ts';
import { bitsOf, calls, masks } from './masks.spec-support.ts';

const bytesOf = (mask: Mask) => Buffer.from(encodeMask(mask));
const part = { concept: 'c', method: 'm', settings: {} };
const empty: Mask = { checkpoint: 'sha256:1', parts: [part], timesteps: [], layers: [] };
const one = bitsOf(1, 8, [[0, 0]]);
const two = bitsOf(1, 8, [[0, 1]]);
const three = bitsOf(1, 8, [[0, 2]]);

describe('uniteMasks', () => {
  it('is the same in any order, and with a mask twice', () => {
    fc.assert(
      fc.property(masks, masks, masks, (a, b, c) => {
        const united = bytesOf(uniteMasks([a, b, c]));
        expect(bytesOf(uniteMasks([c, a, b]))).toEqual(united);
        expect(bytesOf(uniteMasks([b, b, a, c, a]))).toEqual(united);
      }),
    );
  });

  it('is the same when united step by step, for masks of one scheduler', () => {
    fc.assert(
      fc.property(masks, masks, masks, (a, b, c) => {
        expect(bytesOf(uniteMasks([uniteMasks([a, b]), c]))).toEqual(bytesOf(uniteMasks([a, uniteMasks([b, c])])));
      }),
    );
  });

  it('prunes at every timestep of the scheduler what any mask prunes there', () => {
    fc.assert(
      fc.property(masks, masks, fc.constantFrom(...calls, 901, 1), (a, b, timestep) => {
        const united = uniteMasks([a, b]);
        for (const layer of united.layers) {
          const own = [a, b].flatMap((mask) =>
            mask.layers.filter(({ name }) => name === layer.name).map((each) => bitsAt(each, mask.timesteps, timestep)),
          );
          expect(bitsAt(layer, united.timesteps, timestep)).toEqual(
            own.reduce(union, emptyBits(layer.union.rows, layer.union.columns)),
          );
        }
      }),
    );
  });

  it('names every concept once', () => {
    const other = { ...empty, parts: [{ ...part, concept: 'a' }] };
    expect(uniteMasks([empty, other, empty]).parts.map(({ concept }) => concept)).toEqual(['a', 'c']);
  });

  it.each<[string, Mask[], RegExp]>([
    ['no mask', [], /there is none/],
    ['masks of different checkpoints', [empty, { ...empty, checkpoint: 'sha256:2' }], /sha256:1.*sha256:2/],
    [
      'layers of different shapes',
      [8, 9].map((columns) => ({
        ...empty,
        layers: [{ site: 'ffn2', name: 'a', union: emptyBits(1, columns), steps: [] }],
      })),
      /\[1, 8\].*\[1, 9\]/,
    ],
  ])('refuses %s', (_, given, reason) => {
    expect(() => uniteMasks(given)).toThrow(reason);
  });
});

describe('bitsAt', () => {
  const layer = {
    site: 'ffn2',
    name: 'a',
    union: bitsOf(1, 8, [
      [0, 0],
      [0, 1],
      [0, 2],
      [0, 3],
    ]),
    steps: [one, two, three],
  } as const;

  it.each([
    ['above the first', 999, one],
    ['nearer to the first', 972, one],
    ['as near to both: the earlier call', 971, one],
    ['at one', 961, two],
    ['at the last', 941, three],
    ['below the last scored one: the union', 940.5, layer.union],
  ])('takes the nearest timestep: %s', (_, timestep, expected) => {
    expect(bitsAt(layer, [981, 961, 941], timestep)).toEqual(expected);
  });

  it('takes all calls at one timestep', () => {
    expect(bitsAt(layer, [981, 961, 961], 961)).toEqual(union(two, three));
  });

  it('takes the union where the layer does not depend on the step', () => {
    expect(bitsAt({ ...layer, steps: [] }, [981], 981)).toBe(layer.union);
  });
});

describe('maskOf', () => {
  const layer = { site: 'ffn2', name: 'a', union: one, steps: [] } as const;
  it.each<[string, Partial<Mask>, RegExp]>([
    ['a layer twice', { layers: [layer, layer] }, /there twice/],
    ['steps without timesteps', { layers: [{ ...layer, steps: [one] }] }, /1 steps, and the mask 0 timesteps/],
    ['steps of another shape', { timesteps: [1], layers: [{ ...layer, steps: [emptyBits(1, 9)] }] }, /another shape/],
    ['timesteps that increase', { timesteps: [1, 2] }, /increase/],
    ['a timestep that is NaN', { timesteps: [NaN] }, /not finite/],
  ])('refuses %s', (_, change, reason) => {
    expect(() => maskOf({ ...empty, ...change })).toThrow(reason);
  });
});

describe('densities and overlap', () => {
  const mask = (...sets: (readonly [string, typeof one])[]): Mask => ({
    ...empty,
    layers: sets.map(([name, set]) => ({ site: 'ffn2', name, union: set, steps: [] })),
  });

  it('count weights a layer, and over layers of both masks', () => {
    const a = mask(['x', union(one, two)], ['y', one]);
    const b = mask(['x', union(two, three)], ['z', one]);
    expect(densities(a)).toEqual([
      { site: 'ffn2', name: 'x', pruned: 2, weights: 8, density: 0.25 },
      { site: 'ffn2', name: 'y', pruned: 1, weights: 8, density: 0.125 },
    ]);
    expect(maskOverlap(a, b)).toEqual({ both: 1, onlyFirst: 2, onlySecond: 2, jaccard: 0.2 });
    expect(maskOverlap(empty, empty).jaccard).toBe(0);
    expect(() => maskOverlap(a, { ...b, checkpoint: 'x' })).toThrow(/sha256:1 and x/);
  });
});
