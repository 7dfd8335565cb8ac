import type { SiteName } from '../model/site.ts';
import { count, density, overlap } from './bit-set.ts';
import type { Mask } from './mask.ts';
import { maskMismatch } from './mask-mismatch.ts';

/** How much of a layer is pruned. */
export interface LayerDensity {
  readonly site: SiteName;
  readonly name: string;
  readonly pruned: number;
  readonly weights: number;
  /** pruned / weights. */
  readonly density: number;
}

/** Density of every layer of a mask, in their order. */
export function densities({ layers }: Mask): readonly LayerDensity[] {
  return layers.map(({ site, name, union: set }) => {
    return { site, name, pruned: count(set), weights: set.rows * set.columns, density: density(set) };
  });
}

/** How much two masks prune in common. */
export interface MaskOverlap {
  /** Weights that both prune. */
  readonly both: number;
  /** Weights that only the first, or only the second prunes. */
  readonly onlyFirst: number;
  readonly onlySecond: number;
  /** both / (both + onlyFirst + onlySecond); 0 where neither prunes anything. */
  readonly jaccard: number;
}

/** Overlap of two masks of one checkpoint, over all layers. @throws LetheError `mask-mismatch`. */
export function maskOverlap(a: Mask, b: Mask): MaskOverlap {
  if (a.checkpoint !== b.checkpoint) throw maskMismatch('checkpoints', `${a.checkpoint} and ${b.checkpoint}`);
  const others = new Map(b.layers.map((layer) => [layer.name, layer]));
  let both = 0;
  for (const { name, union: set } of a.layers) {
    const other = others.get(name);
    if (other !== undefined) both += overlap(set, other.union);
  }
  const onlyFirst = pruned(a) - both;
  const onlySecond = pruned(b) - both;
  return { both, onlyFirst, onlySecond, jaccard: both / Math.max(1, both + onlyFirst + onlySecond) };
}

function pruned({ layers }: Mask): number {
  return layers.reduce((sum, layer) => sum + count(layer.union), 0);
}
