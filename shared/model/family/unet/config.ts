import { z } from 'zod';
import { type ConfigFile, contradiction, count, parseConfig, refuseUnless, unsupported, width } from '../../config.ts';

const downBlocks = ['DownBlock2D', 'CrossAttnDownBlock2D'] as const;
const upBlocks = ['UpBlock2D', 'CrossAttnUpBlock2D'] as const;
const midBlocks = ['UNetMidBlock2DCrossAttn', 'UNetMidBlock2D'] as const;
const activations = ['silu', 'swish', 'gelu', 'relu', 'mish'] as const;

/** One resolution of the UNet, from the image down. */
export interface UNetLevel {
  readonly down: (typeof downBlocks)[number];
  readonly channels: number;
  /** Attention heads. In config.json they are called attention_head_dim (huggingface/diffusers issue 2011). */
  readonly heads: number;
  /** ResNet blocks on the way down; there is one more on the way up. */
  readonly layers: number;
  /** BasicTransformerBlocks in each Transformer2DModel. */
  readonly transformerLayers: number;
}

/** What a UNet2DConditionModel of the SD 1.x kind is built from. */
export interface UNetConfig {
  readonly inChannels: number;
  readonly outChannels: number;
  /** Latent height and width the model was trained for. */
  readonly sampleSize: readonly [height: number, width: number];
  readonly levels: readonly UNetLevel[];
  readonly mid: (typeof midBlocks)[number] | null;
  /** The way up, from the lowest resolution: block kind and its transformer depth. */
  readonly up: readonly { readonly kind: (typeof upBlocks)[number]; readonly transformerLayers: number }[];
  readonly crossAttentionWidth: number;
  readonly projection: 'conv' | 'linear';
  readonly groups: number;
  readonly epsilon: number;
  readonly activation: (typeof activations)[number];
  readonly timeEmbedding: 'default' | 'scale_shift';
  readonly timeWidth: number;
  readonly timeActivation: (typeof activations)[number] | undefined;
  readonly timePostActivation: (typeof activations)[number] | undefined;
  readonly cosineFirst: boolean;
  readonly frequencyShift: number;
  readonly midScale: number;
  readonly downsamplePadding: number;
  readonly convInKernel: number;
  readonly convOutKernel: number;
  readonly centerInput: boolean;
}

/** At most so many resolutions, blocks a resolution and transformer layers: published models have 4, 3 and 10. */
const levels = 16;
const depth = 64;

const oneOrList = <T extends z.ZodType>(item: T) => z.union([item, z.array(item).min(1).max(levels)]);
const activation = z.string().toLowerCase().pipe(z.enum(activations));
const kernel = z
  .int()
  .min(1)
  .max(15)
  .refine((size) => size % 2 === 1, 'a kernel has an odd size');
const size = count(8192);

/** Keys and defaults of UNet2DConditionModel.__init__ (diffusers 0.29.2, models/unets/unet_2d_condition.py). */
const schema = z.object({
  sample_size: z.union([size, z.tuple([size, size])]),
  in_channels: width.default(4),
  out_channels: width.default(4),
  center_input_sample: z.boolean().default(false),
  flip_sin_to_cos: z.boolean().default(true),
  freq_shift: z.number().default(0),
  down_block_types: z
    .array(z.string())
    .min(1)
    .max(levels)
    .default(['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D']),
  mid_block_type: z.string().nullable().default('UNetMidBlock2DCrossAttn'),
  up_block_types: z
    .array(z.string())
    .min(1)
    .max(levels)
    .default(['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D']),
  block_out_channels: z.array(width).min(1).max(levels).default([320, 640, 1280, 1280]),
  layers_per_block: oneOrList(count(depth)).default(2),
  downsample_padding: z.int().min(0).max(8).default(1),
  mid_block_scale_factor: z.number().default(1),
  act_fn: activation.default('silu'),
  norm_num_groups: width.default(32),
  norm_eps: z.number().positive().default(1e-5),
  cross_attention_dim: oneOrList(width).default(1280),
  transformer_layers_per_block: oneOrList(count(depth)).default(1),
  reverse_transformer_layers_per_block: z.array(count(depth)).nullable().default(null),
  attention_head_dim: oneOrList(width).default(8),
  use_linear_projection: z.boolean().default(false),
  resnet_time_scale_shift: z.enum(['default', 'scale_shift']).default('default'),
  time_embedding_dim: width.nullable().default(null),
  time_embedding_act_fn: activation.nullable().default(null),
  timestep_post_act: activation.nullable().default(null),
  conv_in_kernel: kernel.default(3),
  conv_out_kernel: kernel.default(3),
});

/**
 * Reads unet/config.json.
 *
 * @throws LetheError `config-invalid`, or `config-unsupported` with the key that asks for another kind of UNet.
 */
export function parseUNetConfig(file: ConfigFile): UNetConfig {
  refuseUnless(file, {
    _class_name: ['UNet2DConditionModel'],
    num_attention_heads: [null],
    dual_cross_attention: [false, null],
    class_embed_type: [null],
    num_class_embeds: [null],
    class_embeddings_concat: [false, null],
    addition_embed_type: [null],
    encoder_hid_dim: [null],
    encoder_hid_dim_type: [null],
    time_embedding_type: ['positional'],
    time_cond_proj_dim: [null],
    attention_type: ['default'],
  });
  const { only_cross_attention: only } = file.config;
  if ((Array.isArray(only) ? only : [only ?? false]).some((each) => each !== false))
    throw unsupported(file, 'only_cross_attention', 'false');

  const raw = parseConfig(schema, file);
  const n = raw.block_out_channels.length;
  const list = <T>(key: string, value: T | readonly T[]): readonly T[] => {
    const values = Array.isArray(value) ? (value as readonly T[]) : Array<T>(n).fill(value as T);
    if (values.length !== n)
      throw contradiction(file, key, `it has ${values.length} entries and block_out_channels has ${n}`);
    return values;
  };
  const oneOf = <T extends string>(key: string, value: string, known: readonly T[]): T => {
    const found = known.find((each) => each === value);
    if (found === undefined) throw unsupported(file, key, known.join(', '));
    return found;
  };

  const down = list('down_block_types', raw.down_block_types);
  const up = list('up_block_types', raw.up_block_types);
  const heads = list('attention_head_dim', raw.attention_head_dim);
  const layers = list('layers_per_block', raw.layers_per_block);
  const depths = list('transformer_layers_per_block', raw.transformer_layers_per_block);
  const upDepths = list(
    'reverse_transformer_layers_per_block',
    raw.reverse_transformer_layers_per_block ?? [...depths].reverse(),
  );
  const contexts = list('cross_attention_dim', raw.cross_attention_dim);
  if (contexts.some((each) => each !== contexts[0]))
    throw unsupported(file, 'cross_attention_dim', 'one width for all blocks');

  const levelsOf = raw.block_out_channels.map((channels, i): UNetLevel => {
    const level = {
      down: oneOf('down_block_types', down[i] ?? '', downBlocks),
      channels,
      heads: heads[i] ?? 1,
      layers: layers[i] ?? 1,
      transformerLayers: depths[i] ?? 1,
    };
    if (channels % raw.norm_num_groups !== 0)
      throw contradiction(
        file,
        'norm_num_groups',
        `${channels} channels do not divide into ${raw.norm_num_groups} groups`,
      );
    if (channels % level.heads !== 0)
      throw contradiction(file, 'attention_head_dim', `${channels} channels do not divide into ${level.heads} heads`);
    return level;
  });
  const first = raw.block_out_channels[0] ?? 0;
  if (first % 2 !== 0)
    throw contradiction(file, 'block_out_channels', 'the first entry, width of the timestep features, is odd');

  return {
    inChannels: raw.in_channels,
    outChannels: raw.out_channels,
    sampleSize: typeof raw.sample_size === 'number' ? [raw.sample_size, raw.sample_size] : raw.sample_size,
    levels: levelsOf,
    mid: raw.mid_block_type === null ? null : oneOf('mid_block_type', raw.mid_block_type, midBlocks),
    up: up.map((kind, i) => ({ kind: oneOf('up_block_types', kind, upBlocks), transformerLayers: upDepths[i] ?? 1 })),
    crossAttentionWidth: contexts[0] ?? 1,
    projection: raw.use_linear_projection ? 'linear' : 'conv',
    groups: raw.norm_num_groups,
    epsilon: raw.norm_eps,
    activation: raw.act_fn,
    timeEmbedding: raw.resnet_time_scale_shift,
    timeWidth: raw.time_embedding_dim ?? 4 * first,
    timeActivation: raw.time_embedding_act_fn ?? undefined,
    timePostActivation: raw.timestep_post_act ?? undefined,
    cosineFirst: raw.flip_sin_to_cos,
    frequencyShift: raw.freq_shift,
    midScale: raw.mid_block_scale_factor,
    downsamplePadding: raw.downsample_padding,
    convInKernel: raw.conv_in_kernel,
    convOutKernel: raw.conv_out_kernel,
    centerInput: raw.center_input_sample,
  };
}
