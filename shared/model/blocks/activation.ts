import type { Value } from '../graph/value.ts';
import { gelu, mish, quickGelu, relu } from '../ops/activation.ts';

/** Activations that diffusers and transformers configs name, with their synonyms. */
const activations = {
  silu: (module: string, x: Value) => quickGelu(module, x, 1),
  swish: (module: string, x: Value) => quickGelu(module, x, 1),
  quick_gelu: (module: string, x: Value) => quickGelu(module, x, 1.702),
  gelu,
  relu,
  mish,
} as const;

export type Activation = keyof typeof activations;

export function activate(activation: Activation, module: string, x: Value): Value {
  return activations[activation](module, x);
}
