import { broadcastShapes } from '../graph/tensor-type.ts';
import type { Value } from '../graph/value.ts';
import { apply, operandError, requireFloats } from './apply.ts';

/** Element-wise a + b, broadcast. ONNX Add. */
export const add = (module: string, a: Value, b: Value): Value => binary('Add', module, a, b);

/** Element-wise a · b, broadcast. ONNX Mul. */
export const mul = (module: string, a: Value, b: Value): Value => binary('Mul', module, a, b);

/** Element-wise a / b, broadcast. ONNX Div. */
export const div = (module: string, a: Value, b: Value): Value => binary('Div', module, a, b);

/** Element-wise maximum of two operands, broadcast. ONNX Max. */
export const max = (module: string, a: Value, b: Value): Value => binary('Max', module, a, b);

/** Element-wise sine of radians. ONNX Sin. */
export const sin = (module: string, x: Value): Value => wave('Sin', module, x);

/** Element-wise cosine of radians. ONNX Cos. */
export const cos = (module: string, x: Value): Value => wave('Cos', module, x);

function wave(operator: string, module: string, x: Value): Value {
  requireFloats(operator, module, [x]);
  return apply(operator, module, [x], x.type);
}

function binary(operator: string, module: string, a: Value, b: Value): Value {
  if (a.type.element !== b.type.element) throw operandError(operator, module, [a, b], 'element types differ');
  const shape = broadcastShapes(a.type.shape, b.type.shape);
  if (shape === undefined) throw operandError(operator, module, [a, b], 'shapes do not broadcast');
  return apply(operator, module, [a, b], { element: a.type.element, shape });
}
