import { decodeMask } from '../../shared/mask/mask-file.ts';
import { maskMismatch } from '../../shared/mask/mask-mismatch.ts';
import { decompressMask } from '../../shared/mask/mask-storage.ts';
import { type Mask, uniteMasks } from '../../shared/mask/mask.ts';
import type { MaskBlobs } from '../store/mask-blobs.ts';
import type { MaskBytes } from './mask-bytes.ts';
import { publishMask } from './publish-mask.ts';

/** Masks that are to be active together, as the one mask that workers are given. */
export class MaskSets {
  readonly #blobs: MaskBlobs;
  readonly #masks: MaskBytes;
  readonly #known = new Map<string, Promise<string | undefined>>();

  constructor(blobs: MaskBlobs, masks: MaskBytes) {
    this.#blobs = blobs;
    this.#masks = masks;
  }

  /**
   * The hash of the mask that prunes what all of these prune: of one mask its own, of several their union, which is stored.
   * Undefined for none.
   *
   * @throws LetheError `mask-missing`, `mask-invalid` for one that is damaged, `mask-mismatch` for another checkpoint's.
   */
  hashOf(checkpoint: string, masks: readonly string[]): Promise<string | undefined> {
    const distinct = [...new Set(masks)].sort();
    const key = [checkpoint, ...distinct].join(' ');
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const uniting = this.#unite(checkpoint, distinct);
    this.#known.set(key, uniting);
    // It may be there the next time.
    uniting.catch(() => this.#known.delete(key));
    return uniting;
  }

  async #unite(checkpoint: string, hashes: readonly string[]): Promise<string | undefined> {
    const masks: Mask[] = [];
    for (const hash of hashes) {
      const mask = decodeMask(await decompressMask(await this.#masks.read(hash), hash));
      if (mask.checkpoint !== checkpoint)
        throw maskMismatch(hash, `the mask is of ${mask.checkpoint}, and images of ${checkpoint} are asked for`);
      masks.push(mask);
    }
    return hashes.length > 1 ? publishMask(this.#blobs, uniteMasks(masks)) : hashes[0];
  }
}
