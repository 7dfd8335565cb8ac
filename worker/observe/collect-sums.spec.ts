import { expect, it } from 'vitest';
import { graphOf } from '../../shared/model/graph/graph.ts';
import { input } from '../../shared/model/graph/value.ts';
import { add } from '../../shared/model/ops/arithmetic.ts';
import { collectSums } from './collect-sums.ts';

const x = input('x', { element: 'float', shape: [1, 1, 2] });
const first = add('z.first', x, x);
const second = add('a.second', first, x);
const sweep = { graph: graphOf('g', [second, first]), prediction: undefined, sums: [second.name, first.name] };
const layers = ['a', 'z'].map((name) => ({ site: 'ffn2' as const, name, neurons: 2 }));
const outputs = (a: readonly number[], z: readonly number[]) =>
  new Map([
    [second.name, { shape: [1, 1, 2], data: Float32Array.from(a) }],
    [first.name, { shape: [1, 1, 2], data: Float32Array.from(z) }],
  ]);

it('lays sums out by layer', () => {
  const into = new Float32Array(4);
  collectSums(outputs([1, 2], [3, 4]), sweep, layers, 1, 0, into);
  expect([...into]).toEqual([1, 2, 3, 4]);
});

it('names the layer that ran first among those that are not finite, and the step', () => {
  const collect = () => {
    collectSums(outputs([NaN, 2], [Infinity, 4]), sweep, layers, 1, 7, new Float32Array(4));
  };
  expect(collect).toThrow(expect.objectContaining({ code: 'non-finite', layer: 'z', step: 7, where: 'z, step 7' }));
});

it('refuses sums of another size', () => {
  const collect = () => {
    collectSums(outputs([1], [3, 4]), sweep, layers, 1, 0, new Float32Array(4));
  };
  expect(collect).toThrow(expect.objectContaining({ code: 'session-failed', layer: 'a' }));
});
