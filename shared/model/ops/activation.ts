import type { Value } from '../graph/value.ts';
import { apply, float, string } from './apply.ts';

/** x · sigmoid(alpha · x). com.microsoft QuickGelu: SiLU with alpha 1, CLIP's quick_gelu with 1.702. */
export const quickGelu = (module: string, x: Value, alpha: number): Value =>
  apply('QuickGelu', module, [x], x.type, { alpha: float(alpha) });

/** x · Φ(x), by erf. ONNX Gelu, approximate none. */
export const gelu = (module: string, x: Value): Value => apply('Gelu', module, [x], x.type);

/** x · Φ(x), Φ by tanh. ONNX Gelu, approximate tanh. */
export const tanhGelu = (module: string, x: Value): Value =>
  apply('Gelu', module, [x], x.type, { approximate: string('tanh') });

/** max(x, 0). ONNX Relu. */
export const relu = (module: string, x: Value): Value => apply('Relu', module, [x], x.type);

/** x · tanh(ln(1 + e^x)). ONNX Mish. */
export const mish = (module: string, x: Value): Value => apply('Mish', module, [x], x.type);
