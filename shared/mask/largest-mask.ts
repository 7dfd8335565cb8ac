import type { Checkpoint } from '../checkpoint/open-checkpoint.ts';
import { layersOf, sites } from '../model/site.ts';
import { rowBytes } from '../tensor/bit-matrix.ts';
import { stepLimit } from './mask-file.ts';
import { maskSizeLimit } from './mask-storage.ts';

/** Bytes of the header, which names every set. */
const headerBytes = 4 * 1024 * 1024;

/** Bytes that a mask of a checkpoint can have at most: every layer of every site, in all steps that a mask can have. */
export function largestMask({ unet, textEncoder }: Pick<Checkpoint, 'unet' | 'textEncoder'>): number {
  const sets = sites
    .flatMap((site) => layersOf(site, (site.component === 'text_encoder' ? textEncoder : unet).weights))
    .reduce((sum, { out, in: columns }) => sum + out * rowBytes(columns), 0);
  return Math.min(maskSizeLimit, sets * (stepLimit + 1) + headerBytes);
}
