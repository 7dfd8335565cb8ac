import { type Dim, sameShape } from '../graph/tensor-type.ts';
import { floatConstant, type Value } from '../graph/value.ts';
import { apply, float, int, operandError, requireFloats } from './apply.ts';

/** Each channel of x[b, c, n] to mean 0 and variance 1 over n, then · scale[c] + bias[c]. ONNX InstanceNormalization. */
export function instanceNormalization(module: string, x: Value, scale: Value, bias: Value, epsilon: number): Value {
  const [, channels, size] = x.type.shape;
  const operands = [x, scale, bias];
  requireFloats('InstanceNormalization', module, operands);
  if (channels === undefined || size === undefined || !isVector(scale, channels) || !isVector(bias, channels))
    throw operandError('InstanceNormalization', module, operands, 'scale and bias do not fit the channels');
  return apply('InstanceNormalization', module, operands, x.type, { epsilon: float(epsilon) });
}

/** Last axis to mean 0 and variance 1, then · scale + bias. ONNX LayerNormalization. */
export function layerNormalization(module: string, x: Value, scale: Value, bias: Value, epsilon: number): Value {
  const width = x.type.shape.at(-1);
  const operands = [x, scale, bias];
  requireFloats('LayerNormalization', module, operands);
  if (width === undefined || !isVector(scale, width) || !isVector(bias, width))
    throw operandError('LayerNormalization', module, operands, 'scale and bias do not fit the last axis');
  return apply('LayerNormalization', module, operands, x.type, { axis: int(-1), epsilon: float(epsilon) });
}

/**
 * x[b, c, ...] · scale[c] + bias[c]. ONNX BatchNormalization with mean 0 and variance 1: one pass where Mul and Add are
 * two.
 */
export function channelAffine(module: string, x: Value, scale: Value, bias: Value): Value {
  const channels = x.type.shape[1];
  const operands = [x, scale, bias];
  requireFloats('BatchNormalization', module, operands);
  if (typeof channels !== 'number' || !isVector(scale, channels) || !isVector(bias, channels))
    throw operandError('BatchNormalization', module, operands, 'scale and bias do not fit the channels');
  const mean = floatConstant(`${module}/mean`, [channels], Array<number>(channels).fill(0));
  const variance = floatConstant(`${module}/variance`, [channels], Array<number>(channels).fill(1));
  return apply('BatchNormalization', module, [x, scale, bias, mean, variance], x.type, { epsilon: float(0) });
}

const isVector = (value: Value, length: Dim): boolean => sameShape(value.type.shape, [length]);
