import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '../checkpoint/open-checkpoint.ts';
import { smallWeights } from './model.spec-support.ts';
import { layersOf, type SiteName, sites } from './site.ts';

const siteOf = (name: SiteName) => sites.find((site) => site.name === name)!;

describe('layersOf', () => {
  const blocks = [
    'down_blocks.0.attentions.0.transformer_blocks.0',
    'down_blocks.1.attentions.0.transformer_blocks.0',
    'mid_block.attentions.0.transformer_blocks.0',
    'up_blocks.1.attentions.0.transformer_blocks.0',
    'up_blocks.1.attentions.1.transformer_blocks.0',
    'up_blocks.2.attentions.0.transformer_blocks.0',
    'up_blocks.2.attentions.1.transformer_blocks.0',
  ];
  const channels = [64, 128, 192, 128, 128, 64, 64];

  it.each<[SiteName, string, (width: number) => [out: number, inner: number]]>([
    ['ffn2', 'ff.net.2', (width) => [width, 4 * width]],
    ['ffn1', 'ff.net.0.proj', (width) => [8 * width, width]],
    ['attn-key', 'attn2.to_k', (width) => [width, 128]],
    ['attn-value', 'attn2.to_v', (width) => [width, 128]],
  ])('finds those of %s in the reference checkpoint', async (name, layer, shapeOf) => {
    const { unet } = await openCheckpoint('checkpoint/emoji-sd');
    const expected = blocks.map((block, i) => {
      const [out, inner] = shapeOf(channels[i]!);
      return { name: `${block}.${layer}`, out, in: inner };
    });
    expect(layersOf(siteOf(name), unet.weights)).toEqual(expected);
  });

  it('finds those of text in the reference checkpoint', async () => {
    const { textEncoder } = await openCheckpoint('checkpoint/emoji-sd');
    const layers = layersOf(siteOf('text'), textEncoder.weights);
    expect(layers.map(({ name }) => name)).toEqual(layers.map((_, i) => `text_model.encoder.layers.${i}.mlp.fc2`));
    expect(layers.length).toBeGreaterThan(1);
  });

  it('orders by name and leaves out what is no matrix or only looks alike', () => {
    const weights = smallWeights({
      'b.ff.net.2.weight': ['F32', 2, 8],
      'a.10.ff.net.2.weight': ['F32', 2, 8],
      'a.2.ff.net.2.weight': ['F32', 2, 8],
      'a.2.ff.net.2.bias': ['F32', 2],
      'c.ff.net.20.weight': ['F32', 2, 8],
      'd.ff.net.2.weight': ['F32', 2, 8, 1],
      'e.ffxnet.2.weight': ['F32', 2, 8],
    });
    expect(layersOf(siteOf('ffn2'), weights).map(({ name }) => name)).toEqual([
      'a.10.ff.net.2',
      'a.2.ff.net.2',
      'b.ff.net.2',
    ]);
  });

  it('leaves out a layer that the config does not build', () => {
    const weights = smallWeights({ 'a.ff.net.2.weight': ['F32', 2, 8], 'b.ff.net.2.weight': ['F32', 2, 8] });
    expect(layersOf(siteOf('ffn2'), weights, new Set(['b.ff.net.2'])).map(({ name }) => name)).toEqual(['b.ff.net.2']);
  });
});
