import { type DiffusersActivation, diffusersActivations } from '../../blocks/activation.ts';
import {
  type ConfigFile,
  contradiction,
  oneOf,
  parseConfig,
  refuseUnless,
  unsupported,
  withoutDefaulted,
} from '../../config.ts';
import { type RawUNetConfig, unetSchema } from './config-schema.ts';
import { levelsOf, perLevel, type UNetLevel, type UNetUpBlock, upBlocksOf } from './levels.ts';

const midBlocks = ['UNetMidBlock2DCrossAttn', 'UNetMidBlock2D'] as const;
const timeEmbeddings = ['default', 'scale_shift'] as const;

/** What a UNet2DConditionModel of the SD 1.x kind is built from. */
export interface UNetConfig {
  readonly inChannels: number;
  readonly outChannels: number;
  /** Latent height and width the model was trained for. */
  readonly sampleSize: readonly [height: number, width: number];
  readonly levels: readonly UNetLevel[];
  readonly mid: (typeof midBlocks)[number] | null;
  readonly midTransformers: number;
  /** The way up, from the lowest resolution. */
  readonly up: readonly UNetUpBlock[];
  readonly crossAttentionWidth: number;
  readonly projection: 'conv' | 'linear';
  readonly groups: number;
  readonly epsilon: number;
  readonly activation: DiffusersActivation;
  readonly timeEmbedding: (typeof timeEmbeddings)[number];
  readonly timeWidth: number;
  readonly timeActivation: DiffusersActivation | undefined;
  readonly timePostActivation: DiffusersActivation | undefined;
  readonly cosineFirst: boolean;
  readonly frequencyShift: number;
  readonly midScale: number;
  readonly downsamplePadding: number;
  readonly convInKernel: number;
  readonly convOutKernel: number;
  readonly centerInput: boolean;
}

/**
 * Reads unet/config.json.
 *
 * @throws LetheError `config-invalid`, or `config-unsupported` with the key that asks for another kind of UNet.
 */
export function parseUNetConfig(given: ConfigFile): UNetConfig {
  const file = withoutDefaulted(given);
  refuseOtherKinds(file);
  const raw = parseConfig(unetSchema, file);
  const { mid_block_type: mid, sample_size: size } = raw;
  const levels = levelsOf(file, raw);
  const up = upBlocksOf(file, raw);
  const config = {
    inChannels: raw.in_channels,
    outChannels: raw.out_channels,
    sampleSize: typeof size === 'number' ? ([size, size] as const) : size,
    levels,
    mid: mid === null ? null : oneOf(file, 'mid_block_type', mid, midBlocks),
    midTransformers: levels.at(-1)?.transformers[0] ?? 1,
    up,
    projection: raw.use_linear_projection ? ('linear' as const) : ('conv' as const),
    groups: raw.norm_num_groups,
    epsilon: raw.norm_eps,
    activation: oneOf(file, 'act_fn', raw.act_fn, diffusersActivations),
    timeEmbedding: oneOf(file, 'resnet_time_scale_shift', raw.resnet_time_scale_shift, timeEmbeddings),
    timeWidth: raw.time_embedding_dim ?? 4 * (levels[0]?.channels ?? 0),
    timeActivation: activationOf(file, 'time_embedding_act_fn', raw.time_embedding_act_fn),
    timePostActivation: activationOf(file, 'timestep_post_act', raw.timestep_post_act),
    cosineFirst: raw.flip_sin_to_cos,
    frequencyShift: raw.freq_shift,
    midScale: raw.mid_block_scale_factor,
    downsamplePadding: raw.downsample_padding,
    convInKernel: raw.conv_in_kernel,
    convOutKernel: raw.conv_out_kernel,
    centerInput: raw.center_input_sample,
  };
  checkNumbers(file, config);
  return { ...config, crossAttentionWidth: crossAttentionWidth(file, raw, config) };
}

/** Settings that would change what is computed, refused by name. */
function refuseOtherKinds(file: ConfigFile): void {
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
}

function activationOf(file: ConfigFile, key: string, name: string | null): DiffusersActivation | undefined {
  return name === null ? undefined : oneOf(file, key, name, diffusersActivations);
}

type Attended = Pick<UNetConfig, 'levels' | 'mid' | 'up'>;

/** Whether anything at a resolution attends to the text: what its heads and text width are used for. */
function attends({ levels, mid, up }: Attended, level: number): boolean {
  return (
    levels[level]?.down === 'CrossAttnDownBlock2D' ||
    up[levels.length - 1 - level]?.kind === 'CrossAttnUpBlock2D' ||
    (level === levels.length - 1 && mid === 'UNetMidBlock2DCrossAttn')
  );
}

/** Numbers that the reference would fail on, or make NaN of. */
function checkNumbers(file: ConfigFile, config: Attended & Pick<UNetConfig, 'groups' | 'frequencyShift'>): void {
  const { levels, groups, frequencyShift } = config;
  for (const [i, { channels, heads }] of levels.entries()) {
    if (channels % groups !== 0)
      throw contradiction(file, 'norm_num_groups', `${channels} channels do not divide into ${groups} groups`);
    if (heads > channels && attends(config, i))
      throw contradiction(file, 'attention_head_dim', `${channels} channels are too few for ${heads} heads`);
  }
  const half = Math.floor((levels[0]?.channels ?? 0) / 2);
  if (half === 0) throw contradiction(file, 'block_out_channels', 'one channel is too few for timestep features');
  if (frequencyShift === half)
    throw contradiction(file, 'freq_shift', `frequencies are divided by ${half} - ${frequencyShift}`);
}

/** The text's width: one for all that attend to it. */
function crossAttentionWidth(file: ConfigFile, raw: RawUNetConfig, config: Attended): number {
  const key = 'cross_attention_dim';
  const widths = perLevel(file, raw, key, raw[key]);
  const used = widths.filter((_, level) => attends(config, level));
  const [width = widths[0] ?? 1] = used;
  if (used.some((each) => each !== width)) throw unsupported(file, key, 'one width for all blocks');
  return width;
}
