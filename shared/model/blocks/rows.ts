import { type Dim, scaleDim, splitDim } from '../graph/tensor-type.ts';
import type { Value } from '../graph/value.ts';
import { concat, reshape } from '../ops/layout.ts';

/**
 * x[trajectories, ...] with every trajectory repeated to fill `rows` (a multiple): t0 t0 t1 t1 … Under classifier-free
 * guidance both rows of a trajectory are equal until they first meet their text, so the part of a model before that is
 * run once. Returns x where it has these rows already.
 */
export function repeatRows(path: string, x: Value, rows: Dim): Value {
  const [own, ...rest] = x.type.shape;
  if (own === undefined || own === rows) return x;
  const times = splitDim(rows).factor / splitDim(own).factor;
  const single = reshape(`${path}.single`, x, [own, 1, ...rest]);
  const repeated = concat(`${path}.rows`, Array<Value>(times).fill(single), 1);
  return reshape(`${path}.rows`, repeated, [scaleDim(own, times), ...rest]);
}
