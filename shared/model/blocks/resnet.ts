import { floatConstant, type Value } from '../graph/value.ts';
import { fixed, type Module } from '../module.ts';
import { add, div, mul } from '../ops/arithmetic.ts';
import { halve, reshape } from '../ops/layout.ts';
import { activate, type Activation } from './activation.ts';
import { conv2d } from './conv2d.ts';
import { groupNorm } from './group-norm.ts';
import { linear } from './linear.ts';

/** What all ResNet blocks of one model have in common. */
export interface ResnetSettings {
  readonly groups: number;
  readonly epsilon: number;
  readonly activation: Activation;
  /** How the time embedding enters: added to the channels, or as their scale and shift. */
  readonly timeEmbedding: 'default' | 'scale_shift';
  /** The block's sum is divided by this; 1 in all but a few models. */
  readonly outputScale: number;
}

/**
 * diffusers.models.resnet.ResnetBlock2D: x[b, in, h, w] → [b, out, h, w].
 *
 * @param embedding the activated time embedding [1 or b, width]; the VAE has none.
 */
export function resnetBlock(module: Module, x: Value, out: number, settings: ResnetSettings, embedding?: Value): Value {
  const { groups, epsilon, activation } = settings;
  const inner = fixed(x.type.shape[1], module.path);
  const norm1 = module.child('norm1');
  const norm2 = module.child('norm2');

  let h = activate(activation, norm1.path, groupNorm(norm1, x, groups, epsilon));
  h = conv2d(module.child('conv1'), h, out, 3);
  const time = embedding && timeProjection(module.child('time_emb_proj'), embedding, out, settings);
  if (time !== undefined && settings.timeEmbedding === 'default') h = add(module.child('time_emb_proj').path, h, time);
  h = groupNorm(norm2, h, groups, epsilon);
  if (time !== undefined && settings.timeEmbedding === 'scale_shift') h = scaleAndShift(norm2, h, time, out);
  h = activate(activation, norm2.path, h);
  h = conv2d(module.child('conv2'), h, out, 3);

  const shortcut = inner === out ? x : conv2d(module.child('conv_shortcut'), x, out, 1);
  const sum = add(module.path, shortcut, h);
  if (settings.outputScale === 1) return sum;
  return div(module.path, sum, floatConstant(`${module.path}/output_scale`, [1], [settings.outputScale]));
}

/** The embedding as one number a channel: [1 or b, channels, 1, 1]. */
function timeProjection(module: Module, embedding: Value, out: number, settings: ResnetSettings): Value {
  const channels = settings.timeEmbedding === 'default' ? out : 2 * out;
  const projected = linear(module, embedding, channels);
  return reshape(`${module.path}.channels`, projected, [embedding.type.shape[0] ?? 1, channels, 1, 1]);
}

function scaleAndShift(norm: Module, x: Value, time: Value, channels: number): Value {
  const path = `${norm.path}.time`;
  const batch = time.type.shape[0] ?? 1;
  const [scale, shift] = halve(path, reshape(`${path}.flat`, time, [batch, 2 * channels]));
  const one = floatConstant(`${path}/one`, [1], [1]);
  const factor = add(`${path}.factor`, reshape(`${path}.scale`, scale, [batch, channels, 1, 1]), one);
  return add(`${path}.shift`, mul(path, x, factor), reshape(`${path}.shift`, shift, [batch, channels, 1, 1]));
}
