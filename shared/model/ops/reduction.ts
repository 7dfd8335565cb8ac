import { intConstant, type Value } from '../graph/value.ts';
import { apply, int, operandError, requireFloats } from './apply.ts';

/** Sum along one axis, which stays with size 1. ONNX ReduceSum. */
export function reduceSum(module: string, x: Value, axis: number): Value {
  requireFloats('ReduceSum', module, [x]);
  if (x.type.shape[axis] === undefined) throw operandError('ReduceSum', module, [x], `there is no axis ${axis}`);
  const shape = x.type.shape.map((dim, i) => (i === axis ? 1 : dim));
  const axes = intConstant(`${module}/ReduceSum.axes`, [axis]);
  return apply('ReduceSum', module, [x, axes], { element: x.type.element, shape }, { keepdims: int(1) });
}
