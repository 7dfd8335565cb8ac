import { broadcastShapes } from '../graph/tensor-type.ts';
import type { Value } from '../graph/value.ts';
import { apply, int, operandError, requireFloats } from './apply.ts';

/** Matrix product over the last two axes, the others broadcast. ONNX MatMul. */
export function matMul(module: string, a: Value, b: Value): Value {
  requireFloats('MatMul', module, [a, b]);
  const [rows, inner] = a.type.shape.slice(-2);
  const [innerB, columns] = b.type.shape.slice(-2);
  const batch = broadcastShapes(a.type.shape.slice(0, -2), b.type.shape.slice(0, -2));
  if (rows === undefined || columns === undefined || inner !== innerB || batch === undefined)
    throw operandError('MatMul', module, [a, b], 'shapes do not multiply');
  return apply('MatMul', module, [a, b], { element: a.type.element, shape: [...batch, rows, columns] });
}

/** x[m, k] · w[n, k]ᵀ + bias[n]. ONNX Gemm with transB: weights as PyTorch stores them. */
export function gemm(module: string, x: Value, weight: Value, bias: Value | undefined): Value {
  const [rows, inner] = x.type.shape;
  const [columns, innerW] = weight.type.shape;
  const operands = bias === undefined ? [x, weight] : [x, weight, bias];
  requireFloats('Gemm', module, operands);
  if (x.type.shape.length !== 2 || weight.type.shape.length !== 2 || rows === undefined || columns === undefined)
    throw operandError('Gemm', module, operands, 'operands are not matrices');
  if (inner !== innerW) throw operandError('Gemm', module, operands, 'shapes do not multiply');
  if (bias !== undefined && (bias.type.shape.length !== 1 || bias.type.shape[0] !== columns))
    throw operandError('Gemm', module, operands, 'the bias has another length than the rows of the weight');
  const type = { element: x.type.element, shape: [rows, columns] };
  return apply('Gemm', module, operands, type, { transB: int(1) });
}
