import type { Attribute, Value } from '../graph/value.ts';
import { apply, float, requireFloats, string } from './apply.ts';

/** x · sigmoid(alpha · x). com.microsoft QuickGelu: SiLU with alpha 1, CLIP's quick_gelu with 1.702. */
export const quickGelu = (module: string, x: Value, alpha: number): Value =>
  activation('QuickGelu', module, x, { alpha: float(alpha) });

/** x · Φ(x), by erf. ONNX Gelu, approximate none. */
export const gelu = (module: string, x: Value): Value => activation('Gelu', module, x);

/** x · Φ(x), Φ by tanh. ONNX Gelu, approximate tanh. */
export const tanhGelu = (module: string, x: Value): Value =>
  activation('Gelu', module, x, { approximate: string('tanh') });

/** max(x, 0). ONNX Relu. */
export const relu = (module: string, x: Value): Value => activation('Relu', module, x);

/** x · tanh(ln(1 + e^x)). ONNX Mish. */
export const mish = (module: string, x: Value): Value => activation('Mish', module, x);

function activation(
  operator: string,
  module: string,
  x: Value,
  attributes: Readonly<Record<string, Attribute>> = {},
): Value {
  requireFloats(operator, module, [x]);
  return apply(operator, module, [x], x.type, attributes);
}
