import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { graphOf } from '../../graph/graph.ts';
import { formatType } from '../../graph/tensor-type.ts';
import type { Parameter } from '../../graph/value.ts';
import { smallWeights } from '../../model.spec-support.ts';
import { Module, ParameterSource } from '../../module.ts';
import { parseUNetConfig } from './config.ts';
import { unet } from './unet.ts';

/** Has every weight in the shape it is asked for, and refuses to be asked for one in two shapes. */
class ObligingWeights extends ParameterSource {
  readonly #given = new Map<string, Parameter>();

  constructor() {
    super(smallWeights({}));
  }

  override stored(name: string, shape: readonly number[]): Parameter {
    const location = { file: '/weights', offset: 0, length: 4 * shape.reduce((a, b) => a * b, 1) };
    const parameter = this.#given.get(name) ?? {
      kind: 'parameter',
      name,
      type: { element: 'float', shape },
      location,
    };
    expect(parameter.type.shape).toEqual(shape);
    this.#given.set(name, parameter);
    return parameter;
  }
}

const small = fc.integer({ min: 1, max: 3 });
const activation = fc.constantFrom('silu', 'swish', 'gelu', 'relu', 'mish');

const config = fc.integer({ min: 1, max: 5 }).chain((levels) => {
  const perLevel = <T>(item: fc.Arbitrary<T>) => fc.array(item, { minLength: levels, maxLength: levels });
  return fc.integer({ min: 2, max: 4 }).chain((groups) =>
    fc.record(
      {
        block_out_channels: perLevel(small.map((times) => times * groups)),
        norm_num_groups: fc.constant(groups),
        down_block_types: perLevel(fc.constantFrom('DownBlock2D', 'CrossAttnDownBlock2D')),
        up_block_types: perLevel(fc.constantFrom('UpBlock2D', 'CrossAttnUpBlock2D')),
        mid_block_type: fc.constantFrom(null, 'UNetMidBlock2D', 'UNetMidBlock2DCrossAttn'),
        in_channels: fc.constant(4),
        layers_per_block: fc.oneof(small, perLevel(small)),
        transformer_layers_per_block: fc.oneof(small, perLevel(small)),
        attention_head_dim: fc.oneof(fc.constant(2), perLevel(fc.constantFrom(1, 2))),
        cross_attention_dim: fc.oneof(fc.constant(6), fc.constant(Array<number>(levels).fill(6))),
        sample_size: fc.constant(32),
        use_linear_projection: fc.boolean(),
        downsample_padding: fc.constantFrom(0, 1),
        resnet_time_scale_shift: fc.constantFrom('default', 'scale_shift'),
        time_embedding_dim: fc.constantFrom(null, 10),
        timestep_post_act: fc.option(activation),
        time_embedding_act_fn: fc.option(activation),
        act_fn: activation,
        conv_in_kernel: fc.constantFrom(1, 3, 5),
        conv_out_kernel: fc.constantFrom(1, 3, 5),
        center_input_sample: fc.boolean(),
        mid_block_scale_factor: fc.constantFrom(1, 1.4),
      },
      {
        requiredKeys: [
          'block_out_channels',
          'norm_num_groups',
          'down_block_types',
          'up_block_types',
          'attention_head_dim',
          'cross_attention_dim',
          'sample_size',
        ],
      },
    ),
  );
});

describe('unet', () => {
  it('builds every kind of config that is not refused, at any size', () => {
    const side = fc.integer({ min: 32, max: 70 });
    fc.assert(
      fc.property(config, side, side, fc.constantFrom(1 as const, 2 as const), (raw, height, width, rows) => {
        const parsed = parseUNetConfig({ config: raw, configPath: 'config.json' });
        const prediction = unet(new Module(new ObligingWeights()), parsed, { height, width, tokens: 5, rows });
        const batch = rows === 2 ? '2*trajectories' : 'trajectories';
        expect(formatType(prediction.type)).toBe(`float[${batch},4,${height},${width}]`);
        expect(graphOf('unet', [prediction]).nodes.length).toBeGreaterThan(10);
      }),
      { numRuns: 300 },
    );
  });
});
