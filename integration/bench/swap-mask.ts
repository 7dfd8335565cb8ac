import { checkpointId } from '../../shared/checkpoint/checkpoint-id.ts';
import type { Checkpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import type { Weights } from '../../shared/checkpoint/weights.ts';
import { type Mask, maskOf } from '../../shared/mask/mask.ts';
import { layersOf, type SiteName, sites } from '../../shared/model/site.ts';
import { type BitMatrix, emptyBits, rowBytes } from '../../shared/tensor/bit-matrix.ts';

/** Sites and densities that were seen to erase concepts of emoji-sd. */
const densities: Partial<Record<SiteName, number>> = { ffn2: 0.03, 'attn-value': 0.06 };

/** A set of this density, the same for the same seed. */
export function randomSet(rows: number, columns: number, density: number, seed: number): BitMatrix {
  const set = emptyBits(rows, columns);
  let state = seed;
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const at = row * rowBytes(columns) + (column >> 3);
      if (state / 2 ** 32 < density) set.bytes[at] = (set.bytes[at] ?? 0) | (1 << (column & 7));
    }
  return set;
}

/** What is pruned of a UNet's weights, by their names. */
export function randomSets(weights: Weights, seed: number): ReadonlyMap<string, BitMatrix> {
  return new Map(
    sites.flatMap((site) => {
      const density = densities[site.name] ?? 0;
      if (density === 0) return [];
      return layersOf(site, weights).map((layer): [string, BitMatrix] => [
        `${layer.name}.weight`,
        randomSet(layer.out, layer.in, density, seed + layer.out + layer.in),
      ]);
    }),
  );
}

/** A mask of random weights, with as many steps of a third of the union's density. */
export async function randomMask(checkpoint: Checkpoint, seed: number, timesteps: readonly number[]): Promise<Mask> {
  const { weights } = checkpoint.unet;
  const layers = [...randomSets(weights, seed)].map(([weight, union]) => {
    const name = weight.slice(0, -'.weight'.length);
    const site = sites.find(({ layer }) => layer.test(name))?.name ?? 'ffn2';
    const density = (densities[site] ?? 0) / 3;
    const steps =
      site === 'ffn2' ? timesteps.map((_, i) => randomSet(union.rows, union.columns, density, seed + i)) : [];
    return { site, name, union, steps };
  });
  const parts = [{ concept: 'random', method: 'none', settings: { seed } }];
  return maskOf({ checkpoint: await checkpointId(checkpoint), parts, timesteps, layers });
}
