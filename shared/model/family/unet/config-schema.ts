import { z } from 'zod';
import { count, width } from '../../config.ts';

/** At most so many resolutions, blocks a resolution and transformer layers: published models have 4, 3 and 10. */
const levels = 16;
const depth = 64;

const listOf = <T extends z.ZodType>(item: T) => z.array(item).min(1).max(levels);
const perResolution = 'expected a whole number, or a list with an entry a resolution';
const oneOrList = <T extends z.ZodType>(item: T) => z.union([item, listOf(item)], perResolution);
const activation = z.string().toLowerCase();
const kernel = z
  .int()
  .min(1)
  .max(15)
  .refine((size) => size % 2 === 1, 'a kernel has an odd size');
const size = count(8192);
const layers = count(depth);
/** Of one resolution: one number for all its blocks, or one a block. */
const transformerDepth = z.union(
  [layers, z.array(layers).min(1).max(depth)],
  'expected a whole number, or a list with an entry a block',
);

/** Keys and defaults of UNet2DConditionModel.__init__ (diffusers 0.29.2, models/unets/unet_2d_condition.py). */
export const unetSchema = z.object({
  sample_size: z.union([size, z.tuple([size, size])], 'expected a whole number, or height and width'),
  in_channels: width.default(4),
  out_channels: width.default(4),
  center_input_sample: z.boolean().default(false),
  flip_sin_to_cos: z.boolean().default(true),
  freq_shift: z.number().default(0),
  down_block_types: listOf(z.string()).default([
    'CrossAttnDownBlock2D',
    'CrossAttnDownBlock2D',
    'CrossAttnDownBlock2D',
    'DownBlock2D',
  ]),
  mid_block_type: z.string().nullable().default('UNetMidBlock2DCrossAttn'),
  up_block_types: listOf(z.string()).default([
    'UpBlock2D',
    'CrossAttnUpBlock2D',
    'CrossAttnUpBlock2D',
    'CrossAttnUpBlock2D',
  ]),
  block_out_channels: listOf(width).default([320, 640, 1280, 1280]),
  layers_per_block: oneOrList(layers).default(2),
  downsample_padding: z.int().min(0).max(8).default(1),
  mid_block_scale_factor: z.number().default(1),
  act_fn: activation.default('silu'),
  norm_num_groups: width.default(32),
  norm_eps: z.number().positive().default(1e-5),
  cross_attention_dim: oneOrList(width).default(1280),
  transformer_layers_per_block: z.union([layers, listOf(transformerDepth)], perResolution).default(1),
  reverse_transformer_layers_per_block: listOf(transformerDepth).nullable().default(null),
  attention_head_dim: oneOrList(width).default(8),
  use_linear_projection: z.boolean().default(false),
  resnet_time_scale_shift: z.string().default('default'),
  time_embedding_dim: width.nullable().default(null),
  time_embedding_act_fn: activation.nullable().default(null),
  timestep_post_act: activation.nullable().default(null),
  conv_in_kernel: kernel.default(3),
  conv_out_kernel: kernel.default(3),
});

/** What unet/config.json says, defaults filled in. */
export type RawUNetConfig = z.infer<typeof unetSchema>;
