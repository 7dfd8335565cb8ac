import type { Value } from '../graph/value.ts';
import { broadcastShapes, sameShape } from '../graph/tensor-type.ts';
import { apply, float, int, operandError, requireFloats } from './apply.ts';

/**
 * softmax(q kᵀ / √d) v per head, for q[b, n, heads·d], k and v[b, m, heads·d]. com.microsoft MultiHeadAttention: one
 * kernel, no transposed copies, no [n, m] matrix kept for the whole batch.
 *
 * @param bias added to the scores, broadcast to [b, heads, n, m]; used for causal masks.
 */
export function multiHeadAttention(module: string, q: Value, k: Value, v: Value, heads: number, bias?: Value): Value {
  const [batch, queries, width] = q.type.shape;
  const operands = bias === undefined ? [q, k, v] : [q, k, v, undefined, undefined, bias];
  requireFloats('MultiHeadAttention', module, operands);
  if ([q, k, v].some(({ type }) => type.shape.length !== 3))
    throw operandError(
      'MultiHeadAttention',
      module,
      operands,
      'queries, keys and values are not [batch, tokens, width]',
    );
  if (typeof width !== 'number' || width % heads !== 0)
    throw operandError('MultiHeadAttention', module, operands, `its width does not divide into ${heads} heads`);
  const fits = [k, v].every(({ type }) => type.shape[0] === batch && type.shape[2] === width);
  if (!fits || k.type.shape[1] !== v.type.shape[1])
    throw operandError('MultiHeadAttention', module, operands, 'keys and values do not fit the queries');
  if (bias !== undefined) {
    const scores = [batch ?? 1, heads, queries ?? 1, k.type.shape[1] ?? 1];
    const shape = broadcastShapes(bias.type.shape, scores);
    if (bias.type.shape.length !== 4 || shape === undefined || !sameShape(shape, scores))
      throw operandError('MultiHeadAttention', module, operands, 'the bias does not broadcast to the scores');
  }
  return apply('MultiHeadAttention', module, operands, q.type, {
    num_heads: int(heads),
    scale: float(1 / Math.sqrt(width / heads)),
  });
}
