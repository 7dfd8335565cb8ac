import { activate } from '../../blocks/activation.ts';
import { conv2d } from '../../blocks/conv2d.ts';
import { groupNorm } from '../../blocks/group-norm.ts';
import { resnetBlock, type ResnetSettings } from '../../blocks/resnet.ts';
import { repeatRows } from '../../blocks/rows.ts';
import { downsample, upsample } from '../../blocks/sampling.ts';
import { timestepEmbedding, timestepFeatures } from '../../blocks/time-embedding.ts';
import { transformer } from '../../blocks/transformer.ts';
import { type Dim, scaleDim } from '../../graph/tensor-type.ts';
import { floatConstant, input, type Value } from '../../graph/value.ts';
import { fixed, type Module } from '../../module.ts';
import { add, mul } from '../../ops/arithmetic.ts';
import { concat } from '../../ops/layout.ts';
import type { UNetConfig } from './config.ts';
import type { UNetLevel } from './levels.ts';

/** What one UNet call is asked for. Height and width are of the latents. */
export interface UNetCall {
  readonly height: number;
  readonly width: number;
  /** Text tokens a row. */
  readonly tokens: number;
  /** Rows a trajectory: 2 under classifier-free guidance (empty prompt, then prompt), else 1. */
  readonly rows: 1 | 2;
}

/** Names of the graph's inputs; `trajectories` is bound at run time. */
export const unetInputs = {
  /** float[trajectories, channels, height, width]: scaled latents, one a trajectory whatever the guidance. */
  sample: 'sample',
  /** float[1]: one timestep for the whole batch; may be fractional. */
  timestep: 'timestep',
  /** float[rows × trajectories, tokens, width]: the rows of a trajectory beside each other. */
  context: 'encoder_hidden_states',
} as const;

/** The name of the size that is bound at run time. */
export const trajectories = 'trajectories';

interface Context {
  readonly config: UNetConfig;
  readonly resnet: ResnetSettings;
  readonly embedding: Value;
  readonly text: Value;
}

/**
 * UNet2DConditionModel.forward (diffusers 0.29.2, models/unets/unet_2d_condition.py).
 *
 * @returns the model's prediction, float[rows × trajectories, outChannels, height, width].
 */
export function unet(root: Module, config: UNetConfig, call: UNetCall): Value {
  const { height, width, tokens } = call;
  const rows = scaleDim(trajectories, call.rows);
  const image: readonly Dim[] = [trajectories, config.inChannels, height, width];
  const sample = input(unetInputs.sample, { element: 'float', shape: image });
  const timestep = input(unetInputs.timestep, { element: 'float', shape: [1] });
  const text = input(unetInputs.context, { element: 'float', shape: [rows, tokens, config.crossAttentionWidth] });
  const context: Context = {
    config,
    resnet: {
      groups: config.groups,
      epsilon: config.epsilon,
      activation: config.activation,
      timeEmbedding: config.timeEmbedding,
      outputScale: 1,
    },
    embedding: timeEmbedding(root, config, timestep),
    text,
  };

  const skips: Value[] = [];
  const centered = config.centerInput ? center(sample) : sample;
  let h = conv2d(root.child('conv_in'), centered, config.levels[0]?.channels ?? 0, config.convInKernel);
  skips.push(h);
  for (const [i, level] of config.levels.entries()) {
    h = downBlock(root.child(`down_blocks.${i}`), h, level, i === config.levels.length - 1, context, skips);
  }
  h = midBlock(root.child('mid_block'), h, context);
  for (const i of config.up.keys()) h = upBlock(root.child(`up_blocks.${i}`), h, i, context, skips);

  const norm = root.child('conv_norm_out');
  h = activate(config.activation, norm.path, groupNorm(norm, h, config.groups, config.epsilon));
  return repeatRows('conv_out', conv2d(root.child('conv_out'), h, config.outChannels, config.convOutKernel), rows);
}

/** The activated embedding [1, width] that all ResNet blocks project: computed once, not once a row or block. */
function timeEmbedding(root: Module, config: UNetConfig, timestep: Value): Value {
  const { cosineFirst, frequencyShift, timeWidth, activation } = config;
  const features = timestepFeatures('time_proj', timestep, {
    width: config.levels[0]?.channels ?? 0,
    cosineFirst,
    frequencyShift,
  });
  const module = root.child('time_embedding');
  let embedding = timestepEmbedding(module, features, timeWidth, activation, config.timePostActivation);
  if (config.timeActivation !== undefined) embedding = activate(config.timeActivation, 'time_embed_act', embedding);
  return activate(activation, 'time_embed', embedding);
}

/** 2x - 1. */
function center(sample: Value): Value {
  const doubled = mul('center', sample, floatConstant('center/two', [1], [2]));
  return add('center', doubled, floatConstant('center/minus_one', [1], [-1]));
}

/** CrossAttnDownBlock2D or DownBlock2D; every layer's output, and the smaller image, is kept for the way up. */
function downBlock(module: Module, x: Value, level: UNetLevel, last: boolean, context: Context, skips: Value[]): Value {
  let h = x;
  for (let i = 0; i < level.layers; i++) {
    h = resnetBlock(module.child(`resnets.${i}`), h, level.channels, context.resnet, context.embedding);
    if (level.down === 'CrossAttnDownBlock2D')
      h = attend(module.child(`attentions.${i}`), h, level.heads, level.transformers[i], context);
    skips.push(h);
  }
  if (last) return h;
  h = downsample(module.child('downsamplers.0'), h, context.config.downsamplePadding);
  skips.push(h);
  return h;
}

/** UNetMidBlock2DCrossAttn (ResNet, attention, ResNet) or UNetMidBlock2D as a conditional UNet makes it (one ResNet). */
function midBlock(module: Module, x: Value, context: Context): Value {
  const { mid, midTransformers, levels, midScale } = context.config;
  const lowest = levels.at(-1);
  if (mid === null || lowest === undefined) return x;
  const settings = { ...context.resnet, outputScale: midScale };
  const resnet = (i: number, h: Value): Value =>
    resnetBlock(module.child(`resnets.${i}`), h, lowest.channels, settings, context.embedding);
  const h = resnet(0, x);
  if (mid === 'UNetMidBlock2D') return h;
  return resnet(1, attend(module.child('attentions.0'), h, lowest.heads, midTransformers, context));
}

/** CrossAttnUpBlock2D or UpBlock2D: each layer takes back what the way down kept. */
function upBlock(module: Module, x: Value, index: number, context: Context, skips: Value[]): Value {
  const { levels, up } = context.config;
  const level = levels[levels.length - 1 - index];
  const block = up[index];
  if (level === undefined || block === undefined) return x;
  let h = x;
  for (let i = 0; i <= level.layers; i++) {
    const resnet = module.child(`resnets.${i}`);
    h = resnetBlock(resnet, joinSkip(resnet, h, skips.pop()), level.channels, context.resnet, context.embedding);
    if (block.kind === 'CrossAttnUpBlock2D')
      h = attend(module.child(`attentions.${i}`), h, level.heads, block.transformers[i], context);
  }
  const next = skips.at(-1);
  if (index === up.length - 1 || next === undefined) return h;
  const [, , height, width] = next.type.shape;
  return upsample(module.child('upsamplers.0'), h, fixed(height, module.path), fixed(width, module.path));
}

/** Channels of both; the one that has not met its text yet is repeated to the rows of the other. */
function joinSkip(module: Module, h: Value, skip: Value | undefined): Value {
  if (skip === undefined) return h;
  const [rows] = h.type.shape;
  return concat(module.path, [h, repeatRows(module.path, skip, rows ?? 1)], 1);
}

function attend(module: Module, x: Value, heads: number, layers: number | undefined, context: Context): Value {
  const { groups, projection } = context.config;
  return transformer(module, x, context.text, { heads, layers: layers ?? 1, groups, projection });
}
