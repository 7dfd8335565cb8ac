import type { Dim } from '../graph/tensor-type.ts';
import type { Value } from '../graph/value.ts';
import { fixed, type Module } from '../module.ts';
import { add } from '../ops/arithmetic.ts';
import { reshape, transpose } from '../ops/layout.ts';
import { attention } from './attention.ts';
import { feedForward } from './feed-forward.ts';
import { groupNorm } from './group-norm.ts';
import { layerNorm } from './layer-norm.ts';
import { linear, pointwise, tokenRows } from './linear.ts';
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

/**
 * diffusers.models.attention.BasicTransformerBlock on tokens x[b, n, c]. All but the attention itself sees tokens as the
 * rows of one matrix, as its products take them: nothing is reshaped between them.
 */
function transformerBlock(module: Module, x: Value, context: Value, heads: number): Value {
  const [, tokens = 1, width = 1] = x.type.shape;
  const norm = (name: string, value: Value): Value => layerNorm(module.child(name), value, layerNormEpsilon);
  const attend = (name: string, rows: Value, batch: Dim, other?: Value): Value => {
    const path = `${module.path}.${name}`;
    const sequence = reshape(`${path}.tokens`, rows, [batch, tokens, width]);
    return tokenRows(path, attention(module.child(name), sequence, other ?? sequence, heads, false));
  };
  let batch = x.type.shape[0] ?? 1;
  let h = tokenRows(module.path, x);
  h = add(`${module.path}.attn1`, attend('attn1', norm('norm1', h), batch), h);
  // Queries need their own row from here on.
  const single = reshape(`${module.path}.attn1.tokens`, h, [batch, tokens, width]);
  batch = context.type.shape[0] ?? 1;
  h = tokenRows(`${module.path}.attn1`, repeatRows(`${module.path}.attn1`, single, batch));
  h = add(`${module.path}.attn2`, attend('attn2', norm('norm2', h), batch, context), h);
  h = add(`${module.path}.ff`, feedForward(module.child('ff'), norm('norm3', h)), h);
  return reshape(module.path, h, [batch, tokens, width]);
}
