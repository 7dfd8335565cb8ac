import { describe, expect, it } from 'vitest';
import { refusalOf } from '../../model.spec-support.ts';
import { parseUNetConfig } from './config.ts';

const parse = (config: Record<string, unknown>) =>
  parseUNetConfig({ config: { sample_size: 8, ...config }, configPath: 'unet/config.json' });
const small = {
  block_out_channels: [16, 32],
  down_block_types: ['CrossAttnDownBlock2D', 'DownBlock2D'],
  up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D'],
  norm_num_groups: 8,
};

describe('parseUNetConfig', () => {
  it("fills in diffusers' defaults", () => {
    const level = { heads: 8, layers: 2, transformers: [1, 1] };
    expect(parse({})).toEqual({
      inChannels: 4,
      outChannels: 4,
      sampleSize: [8, 8],
      levels: [
        { down: 'CrossAttnDownBlock2D', channels: 320, ...level },
        { down: 'CrossAttnDownBlock2D', channels: 640, ...level },
        { down: 'CrossAttnDownBlock2D', channels: 1280, ...level },
        { down: 'DownBlock2D', channels: 1280, ...level },
      ],
      mid: 'UNetMidBlock2DCrossAttn',
      midTransformers: 1,
      up: [
        { kind: 'UpBlock2D', transformers: [1, 1, 1] },
        { kind: 'CrossAttnUpBlock2D', transformers: [1, 1, 1] },
        { kind: 'CrossAttnUpBlock2D', transformers: [1, 1, 1] },
        { kind: 'CrossAttnUpBlock2D', transformers: [1, 1, 1] },
      ],
      crossAttentionWidth: 1280,
      projection: 'conv',
      groups: 32,
      epsilon: 1e-5,
      activation: 'silu',
      timeEmbedding: 'default',
      timeWidth: 1280,
      timeActivation: undefined,
      timePostActivation: undefined,
      cosineFirst: true,
      frequencyShift: 0,
      midScale: 1,
      downsamplePadding: 1,
      convInKernel: 3,
      convOutKernel: 3,
      centerInput: false,
    });
  });

  it('takes lists, one entry a level or a layer', () => {
    const config = parse({
      ...small,
      sample_size: [4, 6],
      layers_per_block: [1, 2],
      attention_head_dim: [2, 4],
      cross_attention_dim: [24, 24],
      transformer_layers_per_block: [3, [2, 1, 7]],
      reverse_transformer_layers_per_block: [[1, 2, 3], 4],
    });
    expect(config.levels).toMatchObject([
      { layers: 1, heads: 2, transformers: [3] },
      { layers: 2, heads: 4, transformers: [2, 1] },
    ]);
    expect(config.midTransformers).toBe(2);
    expect(config.up.map(({ transformers }) => transformers)).toEqual([
      [1, 2, 3],
      [4, 4],
    ]);
    expect(config).toMatchObject({ sampleSize: [4, 6], crossAttentionWidth: 24 });
  });

  it('takes depths for the way up from the way down, turned round', () => {
    const { up } = parse({ ...small, transformer_layers_per_block: [1, 2], layers_per_block: 1 });
    expect(up.map(({ transformers }) => transformers)).toEqual([
      [2, 2],
      [1, 1],
    ]);
  });

  it('ignores keys that diffusers ignores, or that change nothing in fp32', () => {
    const ignored = {
      some_key: { of: 'another version' },
      dropout: 0.5,
      upcast_attention: true,
      resnet_skip_time_act: true,
      resnet_out_scale_factor: 2,
      cross_attention_norm: 'group_norm',
      mid_block_only_cross_attention: true,
      addition_time_embed_dim: 256,
      addition_embed_type_num_heads: 3,
      projection_class_embeddings_input_dim: 2816,
      _diffusers_version: '0.99.0',
    };
    expect(parse({ ...small, ...ignored })).toEqual(parse(small));
    const defaulted = { ...small, freq_shift: 5, act_fn: 'none such', _use_default_values: ['freq_shift', 'act_fn'] };
    expect(parse(defaulted)).toEqual(parse(small));
  });

  it('knows synonyms', () => {
    const old = {
      down_block_types: ['UNetResCrossAttnDownBlock2D', 'UNetResDownBlock2D'],
      up_block_types: ['UNetResUpBlock2D', 'UNetResCrossAttnUpBlock2D'],
    };
    expect(parse({ ...small, ...old, act_fn: 'SiLU' })).toEqual(parse(small));
  });

  it('asks nothing of the heads and text widths of levels without attention', () => {
    const { crossAttentionWidth } = parse({
      ...small,
      mid_block_type: null,
      attention_head_dim: [4, 64],
      cross_attention_dim: [24, 32],
    });
    expect(crossAttentionWidth).toBe(24);
  });

  it.each<[string, unknown]>([
    ['_class_name', 'UNet2DModel'],
    ['num_attention_heads', 8],
    ['dual_cross_attention', true],
    ['class_embed_type', 'timestep'],
    ['num_class_embeds', 7],
    ['class_embeddings_concat', true],
    ['addition_embed_type', 'text_time'],
    ['encoder_hid_dim', 64],
    ['encoder_hid_dim_type', 'text_proj'],
    ['time_embedding_type', 'fourier'],
    ['time_cond_proj_dim', 32],
    ['attention_type', 'gated'],
    ['only_cross_attention', true],
    ['only_cross_attention', [false, true]],
    ['down_block_types', ['AttnDownBlock2D', 'DownBlock2D']],
    ['up_block_types', ['UpBlock2D', 'SimpleCrossAttnUpBlock2D']],
    ['mid_block_type', 'UNetMidBlock2DSimpleCrossAttn'],
    ['act_fn', 'tanh'],
    ['time_embedding_act_fn', 'tanh'],
    ['timestep_post_act', 'tanh'],
    ['resnet_time_scale_shift', 'ada_group'],
    ['cross_attention_dim', [24, 32]],
  ])('refuses %s = %j by name', (key, value) => {
    const refusal = refusalOf(() => parse({ ...small, [key]: value }));
    expect(refusal).toContain(
      `config-unsupported: ${key} = ${JSON.stringify(value)} is not supported (unet/config.json): supported: `,
    );
  });

  it.each<[string, unknown]>([
    ['down_block_types', ['DownBlock2D']],
    ['up_block_types', ['UpBlock2D', 'UpBlock2D', 'UpBlock2D']],
    ['layers_per_block', [1, 2, 3]],
    ['attention_head_dim', [1]],
    ['attention_head_dim', 64],
    ['cross_attention_dim', [24]],
    ['transformer_layers_per_block', [1]],
    ['transformer_layers_per_block', [1, [2]]],
    ['reverse_transformer_layers_per_block', [1, 2, 3]],
    ['norm_num_groups', 5],
    ['freq_shift', 8],
  ])('finds the contradiction in %s = %j', (key, value) => {
    const config = { ...small, reverse_transformer_layers_per_block: [1, 1], [key]: value };
    expect(refusalOf(() => parse(config))).toContain(
      `config-invalid: the config contradicts itself in ${key} (unet/config.json)`,
    );
  });

  it('asks for depths of the way up where those of the way down are lists', () => {
    const refusal = refusalOf(() =>
      parse({
        ...small,
        transformer_layers_per_block: [
          [1, 1],
          [1, 1],
        ],
      }),
    );
    expect(refusal).toContain('contradicts itself in reverse_transformer_layers_per_block');
  });

  it.each<[string, unknown]>([
    ['sample_size', null],
    ['sample_size', 1e9],
    ['sample_size', [8, 8, 8]],
    ['in_channels', 0],
    ['in_channels', 4.5],
    ['block_out_channels', []],
    ['block_out_channels', [16, 1e9]],
    ['layers_per_block', 1e9],
    ['transformer_layers_per_block', 1e9],
    ['attention_head_dim', null],
    ['norm_num_groups', null],
    ['norm_eps', NaN],
    ['norm_eps', '1e-5'],
    ['freq_shift', Infinity],
    ['conv_in_kernel', 4],
    ['use_linear_projection', 'yes'],
    ['down_block_types', 'DownBlock2D'],
    ['act_fn', 3],
  ])('refuses %s = %j as no setting at all', (key, value) => {
    expect(refusalOf(() => parse({ ...small, [key]: value }))).toMatch(new RegExp(`^config-invalid: .*${key}`));
  });

  it('names every key at fault at once', () => {
    expect(refusalOf(() => parse({ in_channels: 'a', norm_eps: -1 }))).toMatch(/in_channels: .*; norm_eps: /);
  });

  it('does not fill the screen with a value', () => {
    const refusal = refusalOf(() => parse({ class_embed_type: 'x'.repeat(1e6) }));
    expect(refusal.length).toBeLessThan(500);
  });
});
