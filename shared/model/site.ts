import type { ComponentName } from '../checkpoint/tensor-names.ts';
import type { Weights } from '../checkpoint/weights.ts';

/** The sets of weight matrices that can be pruned. */
export type SiteName = 'ffn2' | 'ffn1' | 'attn-key' | 'attn-value' | 'text';

/** Where a site is, and how its layers are told from the others. */
export interface Site {
  readonly name: SiteName;
  readonly component: ComponentName;
  /** Matches a layer's path, which is its weight's name without `.weight`. */
  readonly layer: RegExp;
  readonly description: string;
}

/** All sites, the default first. */
export const sites: readonly Site[] = [
  { name: 'ffn2', component: 'unet', layer: /\.ff\.net\.2$/, description: 'second matrix of every feed-forward block' },
  {
    name: 'ffn1',
    component: 'unet',
    layer: /\.ff\.net\.0\.proj$/,
    description: 'first matrix of every feed-forward block',
  },
  { name: 'attn-key', component: 'unet', layer: /\.attn2\.to_k$/, description: 'keys of cross-attention' },
  { name: 'attn-value', component: 'unet', layer: /\.attn2\.to_v$/, description: 'values of cross-attention' },
  {
    name: 'text',
    component: 'text_encoder',
    layer: /\.mlp\.fc2$/,
    description: 'second matrix of every text encoder MLP',
  },
];

/** One weight matrix of a site. */
export interface SiteLayer {
  /** Path of the layer, such as `mid_block.attentions.0.transformer_blocks.0.ff.net.2`. */
  readonly name: string;
  /** Rows of the weight matrix. */
  readonly out: number;
  /** Columns of the weight matrix: the neurons that are scored. */
  readonly in: number;
}

/**
 * The layers of a site in a component's weights, ordered by name (code points).
 *
 * @param built names of the layers that the config builds; a layer that is left over in the file is none. Undefined where
 *   the model cannot be built: then all that the file has
 */
export function layersOf(site: Site, weights: Weights, built?: { has(layer: string): boolean }): readonly SiteLayer[] {
  const layers: SiteLayer[] = [];
  for (const [name, { shape }] of weights.tensors) {
    if (!name.endsWith('.weight')) continue;
    const layer = name.slice(0, -'.weight'.length);
    const [out, inner, ...rest] = shape;
    if (out === undefined || inner === undefined || rest.length > 0 || !site.layer.test(layer)) continue;
    if (built?.has(layer) === false) continue;
    layers.push({ name: layer, out, in: inner });
  }
  return layers.sort((a, b) => (a.name < b.name ? -1 : 1));
}
