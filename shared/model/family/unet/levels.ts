import { type ConfigFile, contradiction, oneOf } from '../../config.ts';
import type { RawUNetConfig } from './config-schema.ts';

const downBlocks = ['DownBlock2D', 'CrossAttnDownBlock2D'] as const;
const upBlocks = ['UpBlock2D', 'CrossAttnUpBlock2D'] as const;

/** One resolution of the UNet, from the image down. */
export interface UNetLevel {
  readonly down: (typeof downBlocks)[number];
  readonly channels: number;
  /** Attention heads. In config.json they are called attention_head_dim (huggingface/diffusers issue 2011). */
  readonly heads: number;
  /** ResNet blocks on the way down; there is one more on the way up. */
  readonly layers: number;
  /** BasicTransformerBlocks in the Transformer2DModel of each layer on the way down. */
  readonly transformers: readonly number[];
}

/** One resolution on the way up. */
export interface UNetUpBlock {
  readonly kind: (typeof upBlocks)[number];
  /** BasicTransformerBlocks in the Transformer2DModel of each layer. */
  readonly transformers: readonly number[];
}

/** One entry a resolution, of a key that may be given as one value for all of them. */
export function perLevel<T>(file: ConfigFile, raw: RawUNetConfig, key: string, value: T | readonly T[]): readonly T[] {
  const n = raw.block_out_channels.length;
  const values = Array.isArray(value) ? (value as readonly T[]) : Array<T>(n).fill(value as T);
  if (values.length !== n)
    throw contradiction(file, key, `it has ${values.length} entries and block_out_channels has ${n}`);
  return values;
}

/** One depth a layer, of an entry that may be given as one number for all of them; more than are used are left out. */
function perLayer(file: ConfigFile, key: string, depth: number | readonly number[], layers: number): readonly number[] {
  const depths = typeof depth === 'number' ? Array<number>(layers).fill(depth) : depth;
  if (depths.length < layers)
    throw contradiction(file, key, `an entry has ${depths.length} depths for a resolution of ${layers} layers`);
  return depths.slice(0, layers);
}

/** diffusers takes off this prefix of early versions (get_down_block, get_up_block in unet_2d_blocks.py). */
const blockKind = (name: string): string => name.replace(/^UNetRes/, '');

/** @throws LetheError `config-unsupported` or `config-invalid` with the key at fault. */
export function levelsOf(file: ConfigFile, raw: RawUNetConfig): readonly UNetLevel[] {
  const down = perLevel(file, raw, 'down_block_types', raw.down_block_types);
  const heads = perLevel(file, raw, 'attention_head_dim', raw.attention_head_dim);
  const layers = perLevel(file, raw, 'layers_per_block', raw.layers_per_block);
  const key = 'transformer_layers_per_block';
  const depths = perLevel(file, raw, key, raw[key]);
  return raw.block_out_channels.map((channels, i) => ({
    down: oneOf(file, 'down_block_types', blockKind(down[i] ?? ''), downBlocks),
    channels,
    heads: heads[i] ?? 1,
    layers: layers[i] ?? 1,
    transformers: perLayer(file, key, depths[i] ?? 1, layers[i] ?? 1),
  }));
}

/** @throws LetheError `config-unsupported` or `config-invalid` with the key at fault. */
export function upBlocksOf(file: ConfigFile, raw: RawUNetConfig): readonly UNetUpBlock[] {
  const { transformer_layers_per_block: down, reverse_transformer_layers_per_block: reversed } = raw;
  const key = 'reverse_transformer_layers_per_block';
  if (reversed === null && Array.isArray(down) && down.some(Array.isArray))
    throw contradiction(file, key, 'it has to be there where transformer_layers_per_block has lists in it');
  const kinds = perLevel(file, raw, 'up_block_types', raw.up_block_types);
  const layers = [...perLevel(file, raw, 'layers_per_block', raw.layers_per_block)].reverse();
  const depths = perLevel(file, raw, key, reversed ?? (Array.isArray(down) ? [...down].reverse() : down));
  return kinds.map((kind, i) => ({
    kind: oneOf(file, 'up_block_types', blockKind(kind), upBlocks),
    transformers: perLayer(file, key, depths[i] ?? 1, (layers[i] ?? 1) + 1),
  }));
}
