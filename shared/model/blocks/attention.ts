import type { Value } from '../graph/value.ts';
import { fixed, type Module } from '../module.ts';
import { multiHeadAttention } from '../ops/attention.ts';
import { linear } from './linear.ts';

/**
 * diffusers.models.attention_processor.Attention: queries from x[b, n, width], keys and values from context[b, m, any]
 * (x itself for self-attention), `to_out.0` back to the width of x.
 *
 * @param bias whether to_q, to_k and to_v have one: no in the UNet, yes in the VAE.
 */
export function attention(module: Module, x: Value, context: Value, heads: number, bias: boolean): Value {
  const width = fixed(x.type.shape.at(-1), module.path);
  const q = linear(module.child('to_q'), x, width, bias);
  const k = linear(module.child('to_k'), context, width, bias);
  const v = linear(module.child('to_v'), context, width, bias);
  const mixed = multiHeadAttention(module.path, q, k, v, heads);
  return linear(module.child('to_out.0'), mixed, width);
}
