import { LetheError } from '../../shared/error/lethe-error.ts';
import { decompressMask } from '../../shared/mask/mask-storage.ts';
import type { MaskBlobs } from '../store/mask-blobs.ts';
import { maskBlob } from './publish-mask.ts';

/** Bytes of masks that are kept: those of the image units under way, which are leased again and again. */
const most = 256 * 1024 * 1024;

/** Masks as they are stored, each checked against its hash once; those used last are kept. */
export class MaskBytes {
  readonly #blobs: Pick<MaskBlobs, 'get'>;
  /** In order of last use. */
  readonly #kept = new Map<string, Uint8Array>();
  #bytes = 0;

  constructor(blobs: Pick<MaskBlobs, 'get'>) {
    this.#blobs = blobs;
  }

  /** @throws LetheError `mask-missing`; `mask-invalid` for bytes that do not have the hash. */
  async read(hash: string): Promise<Uint8Array> {
    const stored = this.#kept.get(hash) ?? (await this.#fetch(hash));
    this.#bytes += this.#kept.delete(hash) ? 0 : stored.length;
    this.#kept.set(hash, stored);
    for (const [other, { length }] of this.#kept) {
      if (this.#bytes <= most || other === hash) break;
      this.#kept.delete(other);
      this.#bytes -= length;
    }
    return stored;
  }

  async #fetch(hash: string): Promise<Uint8Array> {
    try {
      const stored = await this.#blobs.get(maskBlob(hash));
      await decompressMask(stored, hash);
      return stored;
    } catch (error) {
      if (!(error instanceof LetheError)) throw error;
      if (error.code === 'blob-missing') throw missingMask(hash);
      if (error.code !== 'blob-damaged') throw error;
      throw new LetheError('mask-invalid', { what: 'cannot read the mask', where: hash, why: error.why, next: again });
    }
  }
}

const again = 'sweep its concepts again: what is stored is not run again';

/** No mask of this hash. */
export function missingMask(hash: string): LetheError {
  return new LetheError('mask-missing', {
    what: 'cannot read the mask',
    where: hash,
    why: 'no mask has this hash',
    next: '`lethe masks` lists those there are',
  });
}
