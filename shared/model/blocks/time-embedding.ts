import { floatConstant, type Value } from '../graph/value.ts';
import type { Module } from '../module.ts';
import { cos, mul, sin } from '../ops/arithmetic.ts';
import { concat, reshape } from '../ops/layout.ts';
import { activate, type Activation } from './activation.ts';
import { linear } from './linear.ts';

/** Sinusoids of a timestep (diffusers.models.embeddings.get_timestep_embedding). */
export interface TimestepFeatures {
  /** Number of features; of an odd number the last is 0. */
  readonly width: number;
  readonly cosineFirst: boolean;
  readonly frequencyShift: number;
}

/** Longest period over the shortest, fixed in diffusers. */
const maxPeriod = 10_000;

/** timestep[1] → [1, width]. */
export function timestepFeatures(path: string, timestep: Value, features: TimestepFeatures): Value {
  const half = Math.floor(features.width / 2);
  const f = Math.fround;
  // fp32 operation by operation, as torch does it: a timestep of 999 magnifies every difference.
  const frequencies = Array.from({ length: half }, (_, i) =>
    f(Math.exp(f(f(f(-Math.log(maxPeriod)) * i) / f(half - features.frequencyShift)))),
  );
  const constant = floatConstant(`${path}/frequencies`, [1, half], frequencies);
  const angles = mul(path, reshape(`${path}.column`, timestep, [1, 1]), constant);
  const waves = [sin(path, angles), cos(path, angles)];
  if (features.cosineFirst) waves.reverse();
  if (features.width % 2 === 1) waves.push(floatConstant(`${path}/last`, [1, 1], [0]));
  return concat(path, waves, 1);
}

/** diffusers.models.embeddings.TimestepEmbedding: two Linears with an activation between. */
export function timestepEmbedding(
  module: Module,
  x: Value,
  width: number,
  activation: Activation,
  after?: Activation,
): Value {
  const hidden = activate(activation, module.child('linear_1').path, linear(module.child('linear_1'), x, width));
  const out = linear(module.child('linear_2'), hidden, width);
  return after === undefined ? out : activate(after, module.child('linear_2').path, out);
}
