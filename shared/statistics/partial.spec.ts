import { describe, expect, it } from 'vitest';
import { LetheError } from '../error/lethe-error.ts';
import { checkPartial, type Partial, partialLength, statisticOf, type TappedLayer } from './partial.ts';

const layers: readonly TappedLayer[] = [
  { site: 'ffn2', name: 'down.ff.net.2', neurons: 2 },
  { site: 'ffn2', name: 'up.ff.net.2', neurons: 3 },
];
const shape = { unit: 'u1', layers, steps: 2, items: 4 };
const length = partialLength(layers, shape.steps, shape.items);

const partial = (change: (values: Float32Array) => void = () => undefined): Partial => {
  const values = Float32Array.from({ length }, (_, i) => i);
  change(values);
  return { ...shape, values };
};

describe('statisticOf', () => {
  it('finds every number once, step by step, layer by layer, item by item', () => {
    const found: number[] = [];
    for (let step = 0; step < shape.steps; step++)
      for (const layer of layers.keys())
        for (let item = 0; item < shape.items; item++) found.push(...statisticOf(partial(), layer, step, item));
    expect(found).toEqual([...partial().values]);
  });
});

describe('checkPartial', () => {
  it('takes zeros, negative zero and any finite value', () => {
    checkPartial(
      partial((values) => {
        values.set([0, -0, 3e38]);
      }),
      'w1',
    );
  });

  it.each([NaN, Infinity, -Infinity, -1e-30])(
    'refuses %d with the worker, unit, layer, step, item and neuron',
    (bad) => {
      // Step 1 begins at 20, its second layer at 28, item 2 of that at 34.
      const refused = partial((values) => (values[35] = bad));
      expect(() => {
        checkPartial(refused, 'gpu-7');
      }).toThrow(LetheError);
      expect(() => {
        checkPartial(refused, 'gpu-7');
      }).toThrow(/worker gpu-7 \(unit u1, up\.ff\.net\.2, step 1 of the window, item 2, neuron 1\): it holds/);
    },
  );

  it.each([0, length - 1, length + 1])('refuses %d numbers with the worker and unit', (other) => {
    expect(() => {
      checkPartial({ ...shape, values: new Float32Array(other) }, 'gpu-7');
    }).toThrow(/gpu-7 \(unit u1\): it has \d+ numbers, and its shape asks for 40/);
  });
});
