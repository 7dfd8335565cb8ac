import { describe, expect, it } from 'vitest';
import { graphOf } from './graph.ts';
import { floatConstant, input, type Value } from './value.ts';
import { add } from '../ops/arithmetic.ts';
import { multiHeadAttention } from '../ops/attention.ts';
import { conv, evenPadding } from '../ops/convolution.ts';
import { gemm, matMul } from '../ops/product.ts';
import { countFlops, totalFlops } from './flops.ts';

const x = (...shape: readonly (number | string)[]): Value => input(`x${shape.join()}`, { element: 'float', shape });
const weight = (...shape: readonly number[]): Value =>
  floatConstant(`w${shape.join()}`, shape, Array<number>(shape.reduce((a, b) => a * b, 1)).fill(1));
const count = (value: Value, bound: Readonly<Record<string, number>> = {}) =>
  Object.fromEntries(countFlops(graphOf('g', [value]), (name) => bound[name] ?? NaN));

describe('countFlops', () => {
  it('counts a multiplication and an addition for every weight an output pixel meets', () => {
    // 2 images, 4 channels, 8×8 pixels, each of 3×3×3 weights.
    expect(count(conv('c', x(2, 3, 8, 8), weight(4, 3, 3, 3), weight(4), 1, evenPadding(1)))).toEqual({
      Conv: 2 * (2 * 4 * 8 * 8) * 27,
    });
    expect(count(conv('c', x(1, 3, 8, 8), weight(4, 3, 3, 3), weight(4), 2, evenPadding(1)))).toEqual({
      Conv: 2 * (4 * 4 * 4) * 27,
    });
  });

  it('counts matrix products, those of a batch each', () => {
    expect(count(gemm('g', x(5, 7), weight(11, 7), weight(11)))).toEqual({ Gemm: 2 * 5 * 7 * 11 });
    expect(count(matMul('m', x(3, 5, 7), weight(7, 11)))).toEqual({ MatMul: 2 * 3 * 5 * 7 * 11 });
  });

  it('counts scores and mixing of an attention, for all heads together', () => {
    const [q, k, v] = [x(2, 16, 8), x(2, 3, 8), input('v', { element: 'float', shape: [2, 3, 8] })];
    const attention = multiHeadAttention('a', q, k, v, 2);
    expect(count(attention)).toEqual({ MultiHeadAttention: 2 * (2 * 16 * 3 * 8) * 2 });
  });

  it('binds named sizes', () => {
    expect(count(gemm('g', x('2*t', 7), weight(11, 7), undefined), { t: 3 })).toEqual({ Gemm: 2 * 6 * 7 * 11 });
  });

  it('leaves out what depends on no input and what is no product', () => {
    const folded = matMul('folded', weight(7, 6), weight(6, 7));
    const flops = countFlops(graphOf('g', [add('sum', matMul('m', x(5, 7), folded), weight(7))]), () => 1);
    expect(totalFlops(flops)).toBe(2 * 5 * 7 * 7);
  });
});
