import { describe, expect, it } from 'vitest';
import { canonicalTensorName } from './tensor-names.ts';

describe('canonicalTensorName', () => {
  it('gives text encoders the prefix that transformers 5 leaves out', () => {
    const name = (stored: string) => canonicalTensorName('text_encoder', stored);
    expect(name('encoder.layers.0.mlp.fc2.weight')).toBe('text_model.encoder.layers.0.mlp.fc2.weight');
    expect(name('embeddings.token_embedding.weight')).toBe('text_model.embeddings.token_embedding.weight');
    expect(name('final_layer_norm.bias')).toBe('text_model.final_layer_norm.bias');
    expect(name('text_model.encoder.layers.0.mlp.fc2.weight')).toBe('text_model.encoder.layers.0.mlp.fc2.weight');
    expect(name('text_projection.weight')).toBe('text_projection.weight');
  });

  it('ignores the buffer of positions', () => {
    expect(canonicalTensorName('text_encoder', 'text_model.embeddings.position_ids')).toBeUndefined();
    expect(canonicalTensorName('text_encoder', 'embeddings.position_ids')).toBeUndefined();
    expect(canonicalTensorName('text_encoder', 'text_model.embeddings.position_embedding.weight')).toBeDefined();
  });

  it('renames attention of old VAEs as diffusers does', () => {
    const at = 'decoder.mid_block.attentions.0';
    const renamed = ['query', 'key', 'value', 'proj_attn'].flatMap((part) =>
      ['weight', 'bias'].map((kind) => canonicalTensorName('vae', `${at}.${part}.${kind}`)),
    );
    expect(renamed).toEqual(
      ['to_q', 'to_k', 'to_v', 'to_out.0'].flatMap((part) => [`${at}.${part}.weight`, `${at}.${part}.bias`]),
    );
    expect(canonicalTensorName('vae', `${at}.group_norm.weight`)).toBe(`${at}.group_norm.weight`);
    expect(canonicalTensorName('vae', `${at}.to_q.weight`)).toBe(`${at}.to_q.weight`);
  });

  it('leaves a UNet alone', () => {
    const name = 'down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight';
    expect(canonicalTensorName('unet', name)).toBe(name);
  });
});
