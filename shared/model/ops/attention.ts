import type { Value } from '../graph/value.ts';
import { apply, float, int, operandError } from './apply.ts';

/**
 * softmax(q kᵀ / √d) v per head, for q[b, n, heads·d], k and v[b, m, heads·d]. com.microsoft MultiHeadAttention: one
 * kernel, no transposed copies, no [n, m] matrix kept for the whole batch.
 *
 * @param bias added to the scores, broadcast to [b, heads, n, m]; used for causal masks.
 */
export function multiHeadAttention(module: string, q: Value, k: Value, v: Value, heads: number, bias?: Value): Value {
  const [batch, , width] = q.type.shape;
  const operands = [q, k, v];
  if (typeof width !== 'number' || width % heads !== 0)
    throw operandError('MultiHeadAttention', module, operands, `its width does not divide into ${heads} heads`);
  const fits = [k, v].every(({ type }) => type.shape[0] === batch && type.shape[2] === width);
  if (!fits || k.type.shape[1] !== v.type.shape[1])
    throw operandError('MultiHeadAttention', module, operands, 'keys and values do not fit the queries');
  const inputs = bias === undefined ? operands : [...operands, undefined, undefined, bias];
  return apply('MultiHeadAttention', module, inputs, q.type, {
    num_heads: int(heads),
    scale: float(1 / Math.sqrt(width / heads)),
  });
}
