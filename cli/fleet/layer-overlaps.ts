import { type MaskOverlap, maskOverlap } from '../../shared/mask/compare-masks.ts';
import { emptyBits } from '../../shared/tensor/bit-matrix.ts';
import type { Mask } from '../../shared/mask/mask.ts';
import type { MaskedLayer } from '../../shared/method/method.ts';
import type { SiteName } from '../../shared/model/site.ts';

/** How much two masks prune in common of a layer. */
export interface LayerOverlap extends MaskOverlap {
  readonly site: SiteName;
  readonly name: string;
}

/** Of every layer that either prunes, by name. @throws LetheError `mask-mismatch` */
export function layerOverlaps(a: Mask, b: Mask): readonly LayerOverlap[] {
  const byName = (mask: Mask): ReadonlyMap<string, MaskedLayer> =>
    new Map(mask.layers.map((layer) => [layer.name, layer]));
  const [first, second] = [byName(a), byName(b)];
  const layers = new Map([...second, ...first]);
  return [...layers.values()]
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .map(({ site, name, union }) => {
      const empty = { site, name, union: emptyBits(union.rows, union.columns), steps: [] };
      const alone = (mask: Mask, layer: MaskedLayer = empty): Mask => ({ ...mask, layers: [layer] });
      return { site, name, ...maskOverlap(alone(a, first.get(name)), alone(b, second.get(name))) };
    });
}
