import type { Value } from '../graph/value.ts';
import { fixed, type Module } from '../module.ts';
import { conv, evenPadding, type Padding } from '../ops/convolution.ts';

/** torch.nn.Conv2d of x[b, in, h, w] with a square kernel and a bias; by default it keeps height and width. */
export function conv2d(
  module: Module,
  x: Value,
  out: number,
  kernel: number,
  stride = 1,
  padding: Padding = evenPadding((kernel - 1) / 2),
): Value {
  const inner = fixed(x.type.shape[1], module.path);
  const weight = module.parameter('weight', [out, inner, kernel, kernel]);
  return conv(module.path, x, weight, module.parameter('bias', [out]), stride, padding);
}
