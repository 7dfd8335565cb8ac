import { activate } from '../../blocks/activation.ts';
import { attention } from '../../blocks/attention.ts';
import { conv2d } from '../../blocks/conv2d.ts';
import { groupNorm } from '../../blocks/group-norm.ts';
import { resnetBlock, type ResnetSettings } from '../../blocks/resnet.ts';
import { upsample } from '../../blocks/sampling.ts';
import { input, type Value } from '../../graph/value.ts';
import { fixed, type Module } from '../../module.ts';
import { add } from '../../ops/arithmetic.ts';
import { reshape, transpose } from '../../ops/layout.ts';
import type { VaeConfig } from './config.ts';

/** Names of the graph's inputs; `images` is bound at run time. */
export const vaeInputs = {
  /** float[images, latentChannels, height, width], already divided by the scaling factor. */
  latents: 'latent_sample',
} as const;

/** Epsilon of the VAE's norms; not in config.json. */
const epsilon = 1e-6;

/**
 * AutoencoderKL.decode (diffusers 0.29.2, models/autoencoders/vae.py Decoder): float[images, 3, scale·h, scale·w],
 * about [-1, 1].
 */
export function vaeDecoder(root: Module, config: VaeConfig, height: number, width: number): Value {
  const shape = ['images', config.latentChannels, height, width];
  const latents = input(vaeInputs.latents, { element: 'float', shape });
  const settings: ResnetSettings = {
    groups: config.groups,
    epsilon,
    activation: config.activation,
    timeEmbedding: 'default',
    outputScale: 1,
  };
  const decoder = root.child('decoder');
  const channels = [...config.channels].reverse();
  const [lowest = 0] = channels;

  let h = config.postQuantization ? conv2d(root.child('post_quant_conv'), latents, config.latentChannels, 1) : latents;
  h = conv2d(decoder.child('conv_in'), h, lowest, 3);
  const mid = decoder.child('mid_block');
  h = resnetBlock(mid.child('resnets.0'), h, lowest, settings);
  const attentions = mid.child('attentions.0');
  if (config.midAttention || attentions.has('to_q.weight')) h = pixelAttention(attentions, h, config.groups);
  h = resnetBlock(mid.child('resnets.1'), h, lowest, settings);
  for (const [i, out] of channels.entries()) {
    const block = decoder.child(`up_blocks.${i}`);
    for (let layer = 0; layer <= config.layers; layer++)
      h = resnetBlock(block.child(`resnets.${layer}`), h, out, settings);
    if (i < channels.length - 1) h = doubled(block.child('upsamplers.0'), h);
  }
  const norm = decoder.child('conv_norm_out');
  h = activate('silu', norm.path, groupNorm(norm, h, config.groups, epsilon));
  return conv2d(decoder.child('conv_out'), h, config.imageChannels, 3);
}

/** Self-attention with one head over all pixels, added to its input. */
function pixelAttention(module: Module, x: Value, groups: number): Value {
  const [batch = 1, , height, width] = x.type.shape;
  const channels = fixed(x.type.shape[1], module.path);
  const pixels = fixed(height, module.path) * fixed(width, module.path);
  const planes = reshape(`${module.path}.planes`, groupNorm(module.child('group_norm'), x, groups, epsilon), [
    batch,
    channels,
    pixels,
  ]);
  const tokens = transpose(`${module.path}.tokens`, planes, [0, 2, 1]);
  const mixed = transpose(`${module.path}.image`, attention(module, tokens, tokens, 1, true), [0, 2, 1]);
  return add(module.path, reshape(`${module.path}.image`, mixed, x.type.shape), x);
}

function doubled(module: Module, x: Value): Value {
  const [, , height, width] = x.type.shape;
  return upsample(module, x, 2 * fixed(height, module.path), 2 * fixed(width, module.path));
}
