import type { Checkpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { decodeMask } from '../../shared/mask/mask-file.ts';
import { largestMask } from '../../shared/mask/largest-mask.ts';
import { decompressMask } from '../../shared/mask/mask-storage.ts';
import { StableDiffusion } from '../diffusion/stable-diffusion.ts';
import { pruningOf } from '../prune/pruning.ts';
import type { SessionCache } from '../session/session-cache.ts';

/** Masks that stay decoded: units of one mask come one after another, and beside them those of another campaign. */
const most = 4;

/** Checkpoints as masks prune them, ready to be sampled; those used last are kept. What is loaded is in the session cache. */
export class PrunedModels {
  readonly #sessions: SessionCache;
  /** In order of last use. */
  readonly #models = new Map<string, Promise<StableDiffusion>>();

  constructor(sessions: SessionCache) {
    this.#sessions = sessions;
  }

  /**
   * The checkpoint, pruned by a mask that arrived with a lease.
   *
   * @param id of the checkpoint
   * @param hash of the mask's canonical bytes
   * @param stored its bytes as they are stored; undefined if none came
   * @throws LetheError `mask-invalid` for bytes that do not have the hash or are no mask, `mask-mismatch` for a mask of
   *   another checkpoint.
   */
  get(checkpoint: Checkpoint, id: string, hash: string, stored: Uint8Array | undefined): Promise<StableDiffusion> {
    const key = `${id} ${hash}`;
    const model = this.#models.get(key) ?? this.#open(checkpoint, id, hash, stored);
    this.#models.delete(key);
    this.#models.set(key, model);
    // Another lease may bring it whole.
    model.catch(() => this.#models.delete(key));
    for (const other of [...this.#models.keys()].slice(0, -most)) this.#models.delete(other);
    return model;
  }

  async #open(
    checkpoint: Checkpoint,
    id: string,
    hash: string,
    stored: Uint8Array | undefined,
  ): Promise<StableDiffusion> {
    if (stored === undefined)
      throw new LetheError('mask-invalid', {
        what: 'cannot prune the model',
        where: hash,
        why: 'the lease came without the mask that its unit names',
        next: 'run coordinators and workers of one release, or of two that follow each other',
      });
    const mask = decodeMask(await decompressMask(stored, hash, largestMask(checkpoint)));
    return StableDiffusion.open(checkpoint, this.#sessions, pruningOf(mask, checkpoint, id));
  }
}
