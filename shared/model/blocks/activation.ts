import type { Value } from '../graph/value.ts';
import { gelu, mish, quickGelu, relu, tanhGelu } from '../ops/activation.ts';

const silu = (module: string, x: Value): Value => quickGelu(module, x, 1);

/** Activations by the names that configs give them, synonyms included. */
const activations = {
  silu,
  swish: silu,
  gelu,
  relu,
  mish,
  quick_gelu: (module: string, x: Value) => quickGelu(module, x, 1.702),
  gelu_new: tanhGelu,
  gelu_pytorch_tanh: tanhGelu,
} as const;

export type Activation = keyof typeof activations;

/** Those of diffusers (models/activations.py). */
export const diffusersActivations = ['silu', 'swish', 'gelu', 'relu', 'mish'] as const;
export type DiffusersActivation = (typeof diffusersActivations)[number];

/** Those of transformers (activations.py) that Lethe has. */
export const transformersActivations = [
  ...diffusersActivations,
  'quick_gelu',
  'gelu_new',
  'gelu_pytorch_tanh',
] as const;
export type TransformersActivation = (typeof transformersActivations)[number];

export function activate(activation: Activation, module: string, x: Value): Value {
  return activations[activation](module, x);
}
