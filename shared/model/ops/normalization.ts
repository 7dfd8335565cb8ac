import { floatConstant, type Value } from '../graph/value.ts';
import { apply, float, int, operandError } from './apply.ts';

/** Each channel of x[b, c, n] to mean 0 and variance 1 over n, then · scale[c] + bias[c]. ONNX InstanceNormalization. */
export function instanceNormalization(module: string, x: Value, scale: Value, bias: Value, epsilon: number): Value {
  const channels = x.type.shape[1];
  if (scale.type.shape[0] !== channels || bias.type.shape[0] !== channels)
    throw operandError('InstanceNormalization', module, [x, scale, bias], 'scale and bias do not fit the channels');
  return apply('InstanceNormalization', module, [x, scale, bias], x.type, { epsilon: float(epsilon) });
}

/** Last axis to mean 0 and variance 1, then · scale + bias. ONNX LayerNormalization. */
export function layerNormalization(module: string, x: Value, scale: Value, bias: Value, epsilon: number): Value {
  const width = x.type.shape.at(-1);
  if (scale.type.shape.length !== 1 || scale.type.shape[0] !== width || bias.type.shape[0] !== width)
    throw operandError('LayerNormalization', module, [x, scale, bias], 'scale and bias do not fit the last axis');
  return apply('LayerNormalization', module, [x, scale, bias], x.type, { axis: int(-1), epsilon: float(epsilon) });
}

/**
 * x[b, c, ...] · scale[c] + bias[c]. ONNX BatchNormalization with mean 0 and variance 1: one pass where Mul and Add are
 * two.
 */
export function channelAffine(module: string, x: Value, scale: Value, bias: Value): Value {
  const channels = x.type.shape[1];
  if (typeof channels !== 'number' || scale.type.shape[0] !== channels || bias.type.shape[0] !== channels)
    throw operandError('BatchNormalization', module, [x, scale, bias], 'scale and bias do not fit the channels');
  const mean = floatConstant(`${module}/mean`, [channels], Array<number>(channels).fill(0));
  const variance = floatConstant(`${module}/variance`, [channels], Array<number>(channels).fill(1));
  return apply('BatchNormalization', module, [x, scale, bias, mean, variance], x.type, { epsilon: float(0) });
}
