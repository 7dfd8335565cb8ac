import { describe, expect, it } from 'vitest';
import { conv2d } from '../blocks/conv2d.ts';
import { smallWeights } from '../model.spec-support.ts';
import { Module, ParameterSource } from '../module.ts';
import { relu } from '../ops/activation.ts';
import { halve, reshape } from '../ops/layout.ts';
import { graphOf } from './graph.ts';
import { printGraph } from './print.ts';
import { input } from './value.ts';

describe('printGraph', () => {
  it('gives one line a part, in the order of use', () => {
    const weights = smallWeights({ 'mid.conv.weight': ['F16', 8, 4, 3, 3], 'mid.conv.bias': ['F32', 8] });
    const module = new Module(new ParameterSource(weights)).child('mid');
    const sample = input('sample', { element: 'float', shape: ['n', 4, 6, 6] });
    const image = relu(module.path, conv2d(module.child('conv'), sample, 8, 3, 2));
    const [low, high] = halve(module.path, reshape(module.path, image, ['n', 72]));
    expect(printGraph(graphOf('mid', [high, low]))).toBe(
      [
        'graph mid',
        'input sample: float[n,4,6,6]',
        'parameter mid.conv.weight: float16[8,4,3,3]',
        'parameter mid.conv.bias: float[8]',
        'constant mid/Reshape.shape: int64[2]',
        'mid.conv.weight/Cast: float[8,4,3,3] = Cast(mid.conv.weight) {to: 1}',
        'mid.conv/Conv: float[n,8,3,3] = Conv(sample, mid.conv.weight/Cast, mid.conv.bias) {strides: 2 2, pads: 1 1 1 1}',
        'mid/Relu: float[n,8,3,3] = Relu(mid.conv/Conv)',
        'mid/Reshape: float[n,72] = Reshape(mid/Relu, mid/Reshape.shape)',
        'mid/Split:0: float[n,36], mid/Split:1: float[n,36] = Split(mid/Reshape) {axis: 1, num_outputs: 2}',
        'output mid/Split:1: float[n,36]',
        'output mid/Split:0: float[n,36]',
        '',
      ].join('\n'),
    );
  });
});
