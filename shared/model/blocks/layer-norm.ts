import type { Value } from '../graph/value.ts';
import { fixed, type Module } from '../module.ts';
import { layerNormalization } from '../ops/normalization.ts';

/** torch.nn.LayerNorm over the last axis. */
export function layerNorm(module: Module, x: Value, epsilon: number): Value {
  const width = fixed(x.type.shape.at(-1), module.path);
  return layerNormalization(
    module.path,
    x,
    module.parameter('weight', [width]),
    module.parameter('bias', [width]),
    epsilon,
  );
}
