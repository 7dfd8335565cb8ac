import type { Value } from '../graph/value.ts';
import { fixed, type Module } from '../module.ts';
import { gelu } from '../ops/activation.ts';
import { mul } from '../ops/arithmetic.ts';
import { linear, linearHalves } from './linear.ts';

/** Width of the hidden layer over the width of the model (diffusers.models.attention.FeedForward, mult). */
const expansion = 4;

/** FeedForward with GEGLU: net.0.proj to twice the hidden width, value · gelu(gate), net.2 back. */
export function feedForward(module: Module, x: Value): Value {
  const width = fixed(x.type.shape.at(-1), module.path);
  const projection = module.child('net.0.proj');
  const [value, gate] = linearHalves(projection, x, expansion * width);
  const hidden = mul(`${module.path}.net.0`, value, gelu(`${module.path}.net.0`, gate));
  return linear(module.child('net.2'), hidden, width);
}
