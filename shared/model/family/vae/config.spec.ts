import { describe, expect, it } from 'vitest';
import { refusalOf } from '../../model.spec-support.ts';
import { imageScale, parseVaeConfig } from './config.ts';

const parse = (config: Record<string, unknown>) => parseVaeConfig({ config, configPath: 'vae/config.json' });
const four = { block_out_channels: [32, 32, 64, 64], up_block_types: Array<string>(4).fill('UpDecoderBlock2D') };

describe('parseVaeConfig', () => {
  it("fills in diffusers' defaults", () => {
    expect(parse({})).toEqual({
      latentChannels: 4,
      imageChannels: 3,
      channels: [64],
      layers: 1,
      groups: 32,
      midAttention: true,
      postQuantization: true,
      activation: 'silu',
      scalingFactor: 0.18215,
    });
  });

  it('ignores the encoder and what the SD 1.x pipeline does not use', () => {
    const ignored = {
      in_channels: 9,
      down_block_types: ['DownEncoderBlock2D'],
      sample_size: 1e9,
      shift_factor: 1,
      latents_mean: [1],
      force_upcast: 0,
      use_quant_conv: false,
    };
    expect(parse(ignored)).toEqual(parse({}));
  });

  it('scales by two at every level but the last', () => {
    expect([imageScale(parse({})), imageScale(parse(four))]).toEqual([1, 8]);
  });

  it.each<[string, unknown]>([
    ['_class_name', 'AutoencoderTiny'],
    ['up_block_types', ['AttnUpDecoderBlock2D']],
    ['act_fn', 'tanh'],
  ])('refuses %s = %j by name', (key, value) => {
    expect(refusalOf(() => parse({ [key]: value }))).toContain(
      `config-unsupported: ${key} = ${JSON.stringify(value)} is not`,
    );
  });

  it.each<[string, unknown]>([
    ['up_block_types', ['UpDecoderBlock2D']],
    ['norm_num_groups', 24],
    ['block_out_channels', [64]],
    ['layers_per_block', 1e9],
    ['layers_per_block', [1, 2]],
    ['latent_channels', '4'],
    ['scaling_factor', null],
    ['mid_block_add_attention', 'no'],
  ])('refuses %s = %j', (key, value) => {
    const where = key === 'block_out_channels' ? 'up_block_types' : key;
    expect(refusalOf(() => parse({ ...four, [key]: value }))).toMatch(new RegExp(`^config-invalid: .*${where}`));
  });
});
