import { describe, expect, it } from 'vitest';
import { linear, linearHalves, pointwise } from './blocks/linear.ts';
import { formatType } from './graph/tensor-type.ts';
import { input } from './graph/value.ts';
import { refusalOf, smallWeights } from './model.spec-support.ts';
import { Module, ParameterSource } from './module.ts';
import { add, mul } from './ops/arithmetic.ts';
import { linearInputs, tap } from './tap.ts';

const x = input('x', { element: 'float', shape: ['n', 5, 4] });

describe('linearInputs', () => {
  it('finds what each product reads, whatever its weight went through', () => {
    const weights = smallWeights({
      'a.weight': ['F16', 6, 4],
      'a.bias': ['F32', 6],
      'b.weight': ['BF16', 4, 6, 1, 1],
      'b.bias': ['F32', 4],
      'c.proj.weight': ['F16', 6, 4],
      'c.proj.bias': ['F16', 6],
    });
    const root = new Module(new ParameterSource(weights));
    const a = linear(root.child('a'), x, 6);
    const b = pointwise(root.child('b'), a, 4);
    const [low, high] = linearHalves(root.child('c.proj'), b, 3);
    const found = linearInputs([mul('gate', low, high), add('skip', b, x)]);
    const read = [...found].map(([layer, value]) => [layer, formatType(value.type)]).sort();
    expect(read).toEqual([
      ['a', 'float[5*n,4]'],
      ['b', 'float[5*n,6]'],
      ['c.proj', 'float[5*n,4]'],
    ]);
  });
});

describe('tap', () => {
  const rows = (...shape: (number | string)[]) => input('rows', { element: 'float', shape });

  it('has one sum a trajectory and column', () => {
    expect(formatType(tap('a', rows('10*n', 4), 'n').type)).toBe('float[n,1,4]');
    expect(formatType(tap('a', rows(30, 4), 3).type)).toBe('float[3,1,4]');
  });

  it.each([
    ['of another number of trajectories', rows('10*m', 4), 'n'],
    ['that are not the same for every trajectory', rows('5*n', 4), '2*n'],
    ['that are bound where trajectories are not', rows(10, 4), 'n'],
  ])('refuses rows %s, by layer', (_, value, trajectories) => {
    expect(refusalOf(() => tap('layer', value, trajectories))).toMatch(
      /^graph-invalid: cannot tap the layer \(layer\): /,
    );
  });
});
