import type { Checkpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { type Mask, maskOf } from '../../shared/mask/mask.ts';
import type { MaskedLayer } from '../../shared/method/method.ts';
import { layersOf, type SiteName, sites } from '../../shared/model/site.ts';
import { type BitMatrix, emptyBits, rowBytes } from '../../shared/tensor/bit-matrix.ts';

/** Makes the bits of one layer. */
export type BitsOf = (rows: number, columns: number) => BitMatrix;

/** All layers of a site, pruned alike at every step, or at each of as many steps as there are `steps`. */
export function siteLayers(
  checkpoint: Checkpoint,
  name: SiteName,
  union: BitsOf,
  steps: readonly BitsOf[] = [],
): readonly MaskedLayer[] {
  return sites
    .filter((site) => site.name === name)
    .flatMap((site) => {
      const { weights } = site.component === 'text_encoder' ? checkpoint.textEncoder : checkpoint.unet;
      return layersOf(site, weights).map((layer): MaskedLayer => ({
        site: name,
        name: layer.name,
        union: union(layer.out, layer.in),
        steps: steps.map((bits) => bits(layer.out, layer.in)),
      }));
    });
}

/** A mask of the concept cat. */
export function maskWith(checkpoint: string, layers: readonly MaskedLayer[], timesteps: readonly number[] = []): Mask {
  return maskOf({ checkpoint, parts: [{ concept: 'cat', method: 'conceptprune', settings: {} }], timesteps, layers });
}

/** Every weight. */
export const allBits: BitsOf = bitsWhere(() => true);

/** About one weight in `every`, others for another seed. */
export function someBits(seed: number, every: number): BitsOf {
  let state = seed;
  return bitsWhere(() => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 < 1 / every;
  });
}

function bitsWhere(isSet: () => boolean): BitsOf {
  return (rows, columns) => {
    const set = emptyBits(rows, columns);
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const at = row * rowBytes(columns) + (column >> 3);
        if (isSet()) set.bytes[at] = (set.bytes[at] ?? 0) | (1 << (column & 7));
      }
    return set;
  };
}
