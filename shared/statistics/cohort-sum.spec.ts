import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addParts,
  checkComplete,
  type CohortPart,
  type CohortSum,
  combineCohortSums,
  emptyCohortSum,
  type SummedLayer,
} from './cohort-sum.ts';
import { decodeCohortSum, encodeCohortSum } from './cohort-sum-file.ts';
import { partialLength, type TappedLayer } from './partial.ts';

const tapped: readonly TappedLayer[] = [
  { site: 'ffn2', name: 'up.ff.net.2', neurons: 2 },
  { site: 'ffn2', name: 'down.ff.net.2', neurons: 3 },
];
const steps = 4;
const layers: readonly SummedLayer[] = tapped.map((layer) => ({ ...layer, rows: 1000, steps }));
const empty = emptyCohortSum('c1', layers);

/** Units of two windows of two steps, of up to three items each. */
const units: fc.Arbitrary<readonly CohortPart[]> = fc.array(
  fc.nat({ max: 3 }).chain((items) =>
    fc.record({
      worker: fc.constant('w1'),
      from: fc.constantFrom(0, 2),
      counts: fc.array(fc.nat({ max: 3 }), { minLength: items, maxLength: items }),
      partial: fc
        .array(fc.float({ min: 0, max: 20, noNaN: true }), {
          minLength: partialLength(tapped, 2, items),
          maxLength: partialLength(tapped, 2, items),
        })
        .map((values) => ({ unit: 'u', layers: tapped, steps: 2, items, values: Float32Array.from(values) })),
    }),
  ),
  { maxLength: 5 },
);

const bytesOf = (sum: CohortSum) => Buffer.from(encodeCohortSum(sum));

describe('addParts', () => {
  it('gives the same bytes in any order, one by one, or combined from two collectors', () => {
    fc.assert(
      fc.property(units, fc.nat(), (parts, cut) => {
        const all = bytesOf(addParts(empty, parts));
        expect(bytesOf(addParts(empty, parts.toReversed()))).toEqual(all);
        expect(bytesOf(parts.reduce((sum, part) => addParts(sum, [part]), empty))).toEqual(all);
        const at = cut % (parts.length + 1);
        const halves = [parts.slice(0, at), parts.slice(at)].map((half) => addParts(empty, half));
        expect(bytesOf(combineCohortSums(halves[1]!, halves[0]!))).toEqual(all);
      }),
    );
  });

  it('puts every statistic under its layer and its step of the trajectory, as often as its item counts', () => {
    const values = Float32Array.from({ length: partialLength(tapped, 2, 2) }, (_, i) => i);
    const partial = { unit: 'u', layers: tapped, steps: 2, items: 2, values };
    const sum = addParts(empty, [{ partial, worker: 'w', from: 2, counts: [1, 10] }]);
    expect(sum.layers.map(({ layer }) => layer.name)).toEqual(['down.ff.net.2', 'up.ff.net.2']);
    const [down, up] = sum.layers;
    expect(up!.steps.map(({ values: each }) => [...each])).toEqual([
      [0, 0],
      [0, 0],
      [0 + 20, 1 + 30],
      [10 + 120, 11 + 130],
    ]);
    expect([...down!.steps[2]!.values]).toEqual([4 + 70, 5 + 80, 6 + 90]);
    expect(up!.steps.map(({ count }) => count)).toEqual([0, 0, 11, 11]);
  });

  it('leaves out layers and steps that the cohort does not sum', () => {
    const sum = emptyCohortSum('c1', [{ ...tapped[0]!, rows: 1000, steps: 1 }]);
    const partial = { unit: 'u', layers: tapped, steps: 2, items: 1, values: new Float32Array(10).fill(3) };
    const { layers: summed } = addParts(sum, [{ partial, worker: 'w', from: 0, counts: [1] }]);
    expect(summed.map(({ steps: each }) => each.map(({ values }) => [...values]))).toEqual([[[3, 3]]]);
  });

  it('adds the empty prompt of a text encoder pass once a trajectory', () => {
    // Two trajectories of 'a', one of 'b', guided: 'a' twice, 'b' once, '' three times.
    const layer: TappedLayer = { site: 'text', name: 'text_model.encoder.layers.0.mlp.fc2', neurons: 1 };
    const partial = { unit: 'u', layers: [layer], steps: 1, items: 3, values: Float32Array.of(1, 10, 4) };
    const start = emptyCohortSum('c', [{ ...layer, rows: 6 * 77, steps: 1 }]);
    const sum = addParts(start, [{ partial, worker: 'w', from: 0, counts: [2, 1, 3] }]);
    expect([...sum.layers[0]!.steps[0]!.values]).toEqual([2 + 10 + 12]);
    checkComplete(sum, () => 6);
  });

  it('refuses what a worker cannot have computed, with its name', () => {
    const bad = { unit: 'u', layers: tapped, steps: 1, items: 1, values: Float32Array.of(1, 2, 3, NaN, 5) };
    const part = { partial: bad, worker: 'gpu-7', from: 0, counts: [1] };
    expect(() => addParts(empty, [part])).toThrow(/worker gpu-7 .*down\.ff\.net\.2/);
    const wide = { ...bad, layers: [{ ...tapped[0]!, neurons: 5 }], values: new Float32Array(5) };
    expect(() => addParts(empty, [{ ...part, partial: wide }])).toThrow(/worker gpu-7 .*5 neurons/);
    const good = { ...bad, values: new Float32Array(5) };
    expect(() => addParts(empty, [{ ...part, partial: good, counts: [1, 1] }])).toThrow(/1 items, and 2 are counted/);
    expect(() => addParts(empty, [{ ...part, partial: { ...good, values: new Float32Array(5).fill(2000) } }])).toThrow(
      /give at most/,
    );
  });
});

describe('checkComplete', () => {
  it('refuses a sum that lacks a unit, or holds one twice', () => {
    const partial = { unit: 'u', layers: tapped, steps, items: 1, values: new Float32Array(20) };
    const part = { partial, worker: 'w', from: 0, counts: [3] };
    const complete = addParts(empty, [part]);
    checkComplete(complete, () => 3);
    expect(() => {
      checkComplete(empty, () => 3);
    }).toThrow(/0 statistics are in the sum of cohort c1, and it has 3/);
    expect(() => {
      checkComplete(addParts(complete, [part]), () => 3);
    }).toThrow(/6 statistics/);
    expect(() => {
      checkComplete(
        addParts(empty, [{ ...part, partial: { ...partial, steps: 2, values: new Float32Array(10) } }]),
        () => 3,
      );
    }).toThrow(/step 2/);
  });
});

describe('combineCohortSums', () => {
  it('refuses sums of different cohorts and layers', () => {
    expect(() => combineCohortSums(empty, emptyCohortSum('c2', layers))).toThrow(/c1 and c2/);
    expect(() => combineCohortSums(empty, emptyCohortSum('c1', layers.slice(1)))).toThrow(/one sum has 2/);
    const shorter = layers.map((layer) => ({ ...layer, steps: 3 }));
    expect(() => combineCohortSums(empty, emptyCohortSum('c1', shorter))).toThrow(/other layers or steps/);
  });
});

describe('emptyCohortSum', () => {
  it('refuses a layer twice', () => {
    expect(() => emptyCohortSum('c', [layers[0]!, layers[0]!])).toThrow(/is there twice/);
  });
});

describe('decodeCohortSum', () => {
  it('reads back what was encoded', () => {
    fc.assert(
      fc.property(units, (parts) => {
        const sum = addParts(empty, parts);
        expect(decodeCohortSum(encodeCohortSum(sum))).toEqual(sum);
      }),
    );
  });
});
