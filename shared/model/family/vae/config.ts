import { z } from 'zod';
import {
  type ConfigFile,
  contradiction,
  count,
  oneOf,
  parseConfig,
  refuseUnless,
  unsupported,
  width,
  withoutDefaulted,
} from '../../config.ts';
import { type DiffusersActivation, diffusersActivations } from '../../blocks/activation.ts';

/** What the decoder of an AutoencoderKL is built from. */
export interface VaeConfig {
  readonly latentChannels: number;
  readonly imageChannels: number;
  /** Channels from the image down, as in config.json. */
  readonly channels: readonly number[];
  readonly layers: number;
  readonly groups: number;
  /** Whether the middle has to have attention; diffusers 0.29 has it always, later versions leave it out if told so. */
  readonly midAttention: boolean;
  readonly postQuantization: boolean;
  /** Of the ResNet blocks; the one before the last convolution is SiLU whatever this is. */
  readonly activation: DiffusersActivation;
  /** Latents are divided by this before decoding. */
  readonly scalingFactor: number;
}

/** Keys and defaults of AutoencoderKL.__init__ (diffusers 0.29.2, models/autoencoders/autoencoder_kl.py). */
const schema = z.object({
  out_channels: width.default(3),
  latent_channels: width.default(4),
  up_block_types: z.array(z.string()).min(1).max(16).default(['UpDecoderBlock2D']),
  block_out_channels: z.array(width).min(1).max(16).default([64]),
  layers_per_block: count(64).default(1),
  act_fn: z.string().toLowerCase().default('silu'),
  norm_num_groups: width.default(32),
  scaling_factor: z.number().positive().default(0.18215),
  mid_block_add_attention: z.boolean().default(true),
  use_post_quant_conv: z.boolean().default(true),
});

/** Pixels of the image a pixel of the latents stands for, along each side (pipelines: vae_scale_factor). */
export function imageScale(config: VaeConfig): number {
  return 2 ** (config.channels.length - 1);
}

/** Reads vae/config.json. @throws LetheError `config-invalid` or `config-unsupported`. */
export function parseVaeConfig(given: ConfigFile): VaeConfig {
  const file = withoutDefaulted(given);
  refuseUnless(file, { _class_name: ['AutoencoderKL'] });
  const raw = parseConfig(schema, file);
  if (raw.up_block_types.some((kind) => kind !== 'UpDecoderBlock2D'))
    throw unsupported(file, 'up_block_types', 'UpDecoderBlock2D');
  if (raw.up_block_types.length !== raw.block_out_channels.length)
    throw contradiction(
      file,
      'up_block_types',
      `it has ${raw.up_block_types.length} entries and block_out_channels has ${raw.block_out_channels.length}`,
    );
  const odd = raw.block_out_channels.find((channels) => channels % raw.norm_num_groups !== 0);
  if (odd !== undefined)
    throw contradiction(file, 'norm_num_groups', `${odd} channels do not divide into ${raw.norm_num_groups} groups`);
  return {
    latentChannels: raw.latent_channels,
    imageChannels: raw.out_channels,
    channels: raw.block_out_channels,
    layers: raw.layers_per_block,
    groups: raw.norm_num_groups,
    midAttention: raw.mid_block_add_attention,
    postQuantization: raw.use_post_quant_conv,
    activation: oneOf(file, 'act_fn', raw.act_fn, diffusersActivations),
    scalingFactor: raw.scaling_factor,
  };
}
