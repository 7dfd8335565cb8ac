import type { Value } from '../graph/value.ts';
import { fixed, type Module } from '../module.ts';
import { add } from '../ops/arithmetic.ts';
import { reshape, transpose } from '../ops/layout.ts';
import { attention } from './attention.ts';
import { feedForward } from './feed-forward.ts';
import { groupNorm } from './group-norm.ts';
import { layerNorm } from './layer-norm.ts';
import { linear, pointwise } from './linear.ts';
import { repeatRows } from './rows.ts';

/** Transformer2DModel as the cross-attention blocks of a UNet make it. */
export interface TransformerSettings {
  /** Heads are ⌊channels / heads⌋ wide: with a remainder the blocks are narrower than the image. */
  readonly heads: number;
  /** Number of BasicTransformerBlocks. */
  readonly layers: number;
  readonly groups: number;
  /** How channels are projected in and out: a 1×1 convolution (SD 1.x) or a Linear (SD 2.x, SDXL). */
  readonly projection: 'conv' | 'linear';
}

/** GroupNorm of Transformer2DModel; LayerNorms of BasicTransformerBlock. Neither is in config.json. */
const groupNormEpsilon = 1e-6;
const layerNormEpsilon = 1e-5;

/**
 * diffusers.models.transformers.Transformer2DModel on an image x[b, c, h, w], with text context[rows, tokens, d].
 * Where x has one row a trajectory and the context two, the result has two: [rows, c, h, w].
 */
export function transformer(module: Module, x: Value, context: Value, settings: TransformerSettings): Value {
  const [batch, , height, width] = x.type.shape;
  const channels = fixed(x.type.shape[1], module.path);
  const tokens = fixed(height, module.path) * fixed(width, module.path);
  const inner = settings.heads * Math.floor(channels / settings.heads);
  const rows = context.type.shape[0] ?? 1;
  const project = settings.projection === 'conv' ? pointwise : linear;

  const norm = groupNorm(module.child('norm'), x, settings.groups, groupNormEpsilon);
  const planes = reshape(`${module.path}.planes`, norm, [batch ?? 1, channels, tokens]);
  let h = project(module.child('proj_in'), transpose(`${module.path}.tokens`, planes, [0, 2, 1]), inner);
  for (let i = 0; i < settings.layers; i++)
    h = transformerBlock(module.child(`transformer_blocks.${i}`), h, context, settings.heads);
  h = project(module.child('proj_out'), h, channels);
  const image = transpose(`${module.path}.image`, h, [0, 2, 1]);
  const out = reshape(`${module.path}.image`, image, [rows, channels, height ?? 1, width ?? 1]);
  return add(module.path, out, repeatRows(module.path, x, rows));
}

/** diffusers.models.attention.BasicTransformerBlock on tokens x[b, n, c]. */
function transformerBlock(module: Module, x: Value, context: Value, heads: number): Value {
  const norm = (name: string, value: Value): Value => layerNorm(module.child(name), value, layerNormEpsilon);
  const self = norm('norm1', x);
  let h = add(`${module.path}.attn1`, attention(module.child('attn1'), self, self, heads, false), x);
  // Queries need their own row from here on.
  h = repeatRows(`${module.path}.attn1`, h, context.type.shape[0] ?? 1);
  h = add(`${module.path}.attn2`, attention(module.child('attn2'), norm('norm2', h), context, heads, false), h);
  return add(`${module.path}.ff`, feedForward(module.child('ff'), norm('norm3', h)), h);
}
