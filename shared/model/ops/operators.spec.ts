import { describe, expect, it } from 'vitest';
import { LetheError } from '../../error/lethe-error.ts';
import type { Dim, ElementType } from '../graph/tensor-type.ts';
import { input, type Value } from '../graph/value.ts';
import { gelu, mish, quickGelu, relu, tanhGelu } from './activation.ts';
import { add, cos, div, max, mul, sin } from './arithmetic.ts';
import { multiHeadAttention } from './attention.ts';
import { conv, evenPadding, resizeNearest } from './convolution.ts';
import { cast, concat, gather, halve, reshape, transpose, where } from './layout.ts';
import { instanceNormalization, layerNormalization } from './normalization.ts';
import { gemm, matMul } from './product.ts';
import { reduceSum } from './reduction.ts';

const value = (element: ElementType, ...shape: readonly Dim[]): Value => input('x', { element, shape });
const f = (...shape: readonly Dim[]): Value => value('float', ...shape);
const h = (...shape: readonly Dim[]): Value => value('float16', ...shape);
const i = (...shape: readonly Dim[]): Value => value('int64', ...shape);
const pad = evenPadding(1);

/** Operator, what is wrong, and the call that has to be refused. */
const refused: readonly (readonly [operator: string, fault: string, build: () => unknown])[] = [
  ['QuickGelu', 'integers', () => quickGelu('m', i(2), 1)],
  ['Gelu', 'integers', () => gelu('m', i(2))],
  ['Gelu', 'truth values', () => tanhGelu('m', value('bool', 2))],
  ['Relu', 'integers', () => relu('m', i(2))],
  ['Mish', 'integers', () => mish('m', value('int32', 2))],
  ['Sin', 'integers', () => sin('m', i(2))],
  ['Cos', 'integers', () => cos('m', i(2))],
  ['Add', 'two element types', () => add('m', f(2), h(2))],
  ['Add', 'shapes that do not broadcast', () => add('m', f(2, 3), f(2))],
  ['Mul', 'a bound and an unbound size', () => mul('m', f('n', 3), f(2, 3))],
  ['Div', 'two unbound sizes', () => div('m', f('n'), f('m'))],
  ['Max', 'two element types', () => max('m', f(2), i(2))],
  ['MultiHeadAttention', 'integers', () => multiHeadAttention('m', i(1, 2, 4), i(1, 2, 4), i(1, 2, 4), 2)],
  ['MultiHeadAttention', 'matrices', () => multiHeadAttention('m', f(2, 4), f(2, 4), f(2, 4), 2)],
  ['MultiHeadAttention', 'uneven heads', () => multiHeadAttention('m', f(1, 2, 4), f(1, 2, 4), f(1, 2, 4), 3)],
  ['MultiHeadAttention', 'other batches', () => multiHeadAttention('m', f(1, 2, 4), f('n', 3, 4), f('n', 3, 4), 2)],
  ['MultiHeadAttention', 'wider values', () => multiHeadAttention('m', f(1, 2, 4), f(1, 3, 4), f(1, 3, 8), 2)],
  ['MultiHeadAttention', 'fewer values', () => multiHeadAttention('m', f(1, 2, 4), f(1, 3, 4), f(1, 2, 4), 2)],
  [
    'MultiHeadAttention',
    'a bias of another length',
    () => multiHeadAttention('m', f('n', 2, 4), f('n', 3, 4), f('n', 3, 4), 2, f(1, 1, 2, 2)),
  ],
  [
    'MultiHeadAttention',
    'a bias that would widen the scores',
    () => multiHeadAttention('m', f(1, 2, 4), f(1, 3, 4), f(1, 3, 4), 2, f(5, 1, 2, 3)),
  ],
  ['Conv', 'other channels', () => conv('m', f(1, 3, 8, 8), f(5, 4, 3, 3), f(5), 1, pad)],
  ['Conv', 'a longer bias', () => conv('m', f(1, 4, 8, 8), f(5, 4, 3, 3), f(6), 1, pad)],
  ['Conv', 'a bias that is a matrix', () => conv('m', f(1, 4, 8, 8), f(5, 4, 3, 3), f(5, 1), 1, pad)],
  ['Conv', 'an unbound height', () => conv('m', f(1, 4, 'h', 8), f(5, 4, 3, 3), f(5), 1, pad)],
  ['Conv', 'an image smaller than the kernel', () => conv('m', f(1, 4, 2, 8), f(5, 4, 5, 5), f(5), 1, pad)],
  ['Conv', 'a weight of half precision', () => conv('m', f(1, 4, 8, 8), h(5, 4, 3, 3), f(5), 1, pad)],
  ['Conv', 'an image of three axes', () => conv('m', f(4, 8, 8), f(5, 4, 3, 3), f(5), 1, pad)],
  ['Conv', 'a weight of five axes', () => conv('m', f(1, 4, 8, 8), f(5, 4, 3, 3, 1), f(5), 1, pad)],
  ['Resize', 'an unbound width', () => resizeNearest('m', f(1, 4, 8, 'w'), 16, 16)],
  ['Resize', 'integers', () => resizeNearest('m', i(1, 4, 8, 8), 16, 16)],
  ['Where', 'a condition of numbers', () => where('m', f(2), f(2), f(1))],
  ['Where', 'two element types', () => where('m', value('bool', 2), f(2), i(1))],
  ['Where', 'a condition of another shape', () => where('m', value('bool', 3), f(2), f(1))],
  ['Reshape', 'other elements', () => reshape('m', f(2, 3), [7])],
  ['Reshape', 'another unbound size', () => reshape('m', f('n', 3), ['m', 3])],
  ['Reshape', 'two unbound sizes', () => reshape('m', f('n', 'k'), ['k', 'n'])],
  ['Transpose', 'an axis twice', () => transpose('m', f(2, 3), [0, 0])],
  ['Transpose', 'an axis too few', () => transpose('m', f(2, 3), [0])],
  ['Concat', 'nothing', () => concat('m', [], 0)],
  ['Concat', 'other sizes', () => concat('m', [f(2, 3), f(2, 4)], 0)],
  ['Concat', 'other ranks', () => concat('m', [f(2, 3), f(2)], 0)],
  ['Concat', 'two element types', () => concat('m', [f(2), h(2)], 0)],
  ['Concat', 'an unbound size', () => concat('m', [f('n', 3), f(2, 3)], 0)],
  ['Concat', 'an axis that is not there', () => concat('m', [f(2), f(2)], 1)],
  ['Split', 'an odd size', () => halve('m', f(2, 3))],
  ['Split', 'an unbound size', () => halve('m', f(2, 'n'))],
  ['Split', 'a scalar', () => halve('m', f())],
  ['Gather', 'indices that are no integers', () => gather('m', f(4, 2), f(3))],
  ['Gather', 'a scalar table', () => gather('m', f(), i(3))],
  ['InstanceNormalization', 'another scale', () => instanceNormalization('m', f(1, 4, 9), f(3), f(4), 1e-5)],
  ['InstanceNormalization', 'another bias', () => instanceNormalization('m', f(1, 4, 9), f(4), f(3), 1e-5)],
  ['InstanceNormalization', 'nothing to average', () => instanceNormalization('m', f(1, 4), f(4), f(4), 1e-5)],
  ['InstanceNormalization', 'a matrix of scales', () => instanceNormalization('m', f(1, 4, 9), f(4, 1), f(4), 1e-5)],
  ['InstanceNormalization', 'two element types', () => instanceNormalization('m', f(1, 4, 9), h(4), f(4), 1e-5)],
  ['LayerNormalization', 'another scale', () => layerNormalization('m', f(2, 4), f(2), f(4), 1e-5)],
  ['LayerNormalization', 'another bias', () => layerNormalization('m', f(2, 4), f(4), f(2), 1e-5)],
  ['LayerNormalization', 'a scalar', () => layerNormalization('m', f(), f(1), f(1), 1e-5)],
  ['LayerNormalization', 'two element types', () => layerNormalization('m', f(2, 4), f(4), h(4), 1e-5)],
  ['MatMul', 'inner sizes that differ', () => matMul('m', f(2, 3), f(4, 2))],
  ['MatMul', 'batches that differ', () => matMul('m', f(2, 2, 3), f(3, 3, 2))],
  ['MatMul', 'a vector', () => matMul('m', f(3), f(3, 2))],
  ['MatMul', 'two element types', () => matMul('m', f(2, 3), h(3, 2))],
  ['Gemm', 'inner sizes that differ', () => gemm('m', f(2, 3), f(4, 2), undefined)],
  ['Gemm', 'three axes', () => gemm('m', f(1, 2, 3), f(4, 3), undefined)],
  ['Gemm', 'a longer bias', () => gemm('m', f(2, 3), f(4, 3), f(5))],
  ['Gemm', 'two element types', () => gemm('m', f(2, 3), h(4, 3), undefined)],
  ['Gemm', 'a bias of half precision', () => gemm('m', f(2, 3), f(4, 3), h(4))],
  ['ReduceSum', 'an axis that is not there', () => reduceSum('m', f(2, 3), 2)],
  ['ReduceSum', 'truth values', () => reduceSum('m', value('bool', 2), 0)],
];

describe('operators', () => {
  it.each(refused)('%s refuses %s by its node', (operator, _, build) => {
    expect(build).toThrow(LetheError);
    expect(build).toThrow(expect.objectContaining({ code: 'graph-invalid', where: `m/${operator}` }));
    // Every operand with its type.
    if (operator !== 'Concat') expect(build).toThrow(/operands are .*x: (float|float16|int32|int64|bool)\[.*\]/);
  });

  it.each([
    ['add', () => add('m', f('n', 1, 3), f(4, 1)), 'float[n,4,3]'],
    ['attention', () => multiHeadAttention('m', f('n', 2, 4), f('n', 3, 4), f('n', 3, 4), 2), 'float[n,2,4]'],
    ['conv, stride 2', () => conv('m', f('n', 4, 9, 8), f(5, 4, 3, 3), f(5), 2, pad), 'float[n,5,5,4]'],
    [
      'conv, one-sided',
      () => conv('m', f(1, 4, 9, 8), f(5, 4, 3, 3), f(5), 2, { ...pad, top: 0, left: 0 }),
      'float[1,5,4,4]',
    ],
    ['resize', () => resizeNearest('m', f('n', 4, 5, 5), 9, 10), 'float[n,4,9,10]'],
    ['reshape', () => reshape('m', f('2*n', 3, 4), ['n', 24]), 'float[n,24]'],
    ['transpose', () => transpose('m', f('n', 3, 4), [2, 0, 1]), 'float[4,n,3]'],
    ['concat', () => concat('m', [f('n', 3), f('n', 4)], 1), 'float[n,7]'],
    ['halve', () => halve('m', f('n', 6))[1], 'float[n,3]'],
    ['cast', () => cast('m', h(2), 'float'), 'float[2]'],
    ['gather', () => gather('m', h(9, 4), i('n', 2)), 'float16[n,2,4]'],
    ['matMul', () => matMul('m', f('n', 1, 3), f(3, 2)), 'float[n,1,2]'],
    ['gemm', () => gemm('m', f('n', 3), f(4, 3), f(4)), 'float[n,4]'],
    ['reduceSum', () => reduceSum('m', f('n', 3, 4), 1), 'float[n,1,4]'],
  ])('%s says the type of its result', (_, build, type) => {
    const { element, shape } = build().type;
    expect(`${element}[${shape.join(',')}]`).toBe(type);
  });

  it('make no node where there is nothing to do', () => {
    const x = f('n', 3);
    expect(reshape('m', x, ['n', 3])).toBe(x);
    expect(cast('m', x, 'float')).toBe(x);
  });
});
