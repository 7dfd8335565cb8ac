import { describe, expect, it } from 'vitest';
import { refusalOf } from '../../model.spec-support.ts';
import { parseClipTextConfig } from './config.ts';

const parse = (config: Record<string, unknown>) =>
  parseClipTextConfig({ config, configPath: 'text_encoder/config.json' });

describe('parseClipTextConfig', () => {
  it("fills in transformers' defaults", () => {
    expect(parse({})).toEqual({
      vocabulary: 49_408,
      width: 512,
      hiddenWidth: 2048,
      layers: 12,
      heads: 8,
      positions: 77,
      activation: 'quick_gelu',
      epsilon: 1e-5,
    });
  });

  it('ignores what changes nothing', () => {
    const ignored = {
      projection_dim: 3,
      attention_dropout: 0.5,
      eos_token_id: 2,
      torch_dtype: 'float16',
      some_key: [1],
    };
    expect(parse(ignored)).toEqual(parse({}));
  });

  it.each(['quick_gelu', 'gelu', 'gelu_new', 'gelu_pytorch_tanh', 'relu', 'silu', 'swish', 'mish'])(
    'has %s',
    (name) => {
      expect(parse({ hidden_act: name }).activation).toBe(name);
    },
  );

  it.each<[string, unknown]>([
    ['model_type', 't5'],
    ['use_attention_mask', true],
    ['hidden_act', 'selu'],
    // transformers takes names of activations as they are written.
    ['hidden_act', 'GELU'],
  ])('refuses %s = %j by name', (key, value) => {
    expect(refusalOf(() => parse({ [key]: value }))).toContain(
      `config-unsupported: ${key} = ${JSON.stringify(value)} is not`,
    );
  });

  it.each<[string, unknown]>([
    ['num_attention_heads', 7],
    ['num_hidden_layers', 1e9],
    ['max_position_embeddings', 1e9],
    ['vocab_size', -1],
    ['hidden_size', 'wide'],
    ['intermediate_size', null],
    ['layer_norm_eps', 0],
    ['hidden_act', 3],
  ])('refuses %s = %j as no setting at all', (key, value) => {
    expect(refusalOf(() => parse({ [key]: value }))).toMatch(new RegExp(`^config-invalid: .*${key}`));
  });
});
