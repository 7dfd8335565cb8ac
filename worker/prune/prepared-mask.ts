import { LetheError } from '../../shared/error/lethe-error.ts';
import type { UNetShape } from '../diffusion/pipeline-models.ts';
import type { StableDiffusion } from '../diffusion/stable-diffusion.ts';
import type { SessionSettings } from '../session/protocol.ts';
import { SessionCache } from '../session/session-cache.ts';
import type { SessionThread } from '../session/session-thread.ts';
import { largestBatch, type Pruning } from './pruning.ts';

/** UNets of two sizes, and a text encoder where it is pruned. */
const ownSessions = 3;

/**
 * A mask that images can be made under: a UNet on a thread of its own. To swap, prepare the next, hand it to the requests
 * that come from then on, and release this one: what is being made under it is finished first.
 */
export class PreparedMask {
  readonly pruning: Pruning;
  readonly #model: StableDiffusion;
  readonly #thread: SessionThread;
  readonly #largestBatch: number;
  readonly #onEnd: () => void;
  #users = 0;
  #released = false;
  #ended: Promise<void> | undefined;
  #idle = (): void => undefined;

  /** @param onEnd called once its memory is about to be freed */
  constructor(
    model: StableDiffusion,
    pruning: Pruning,
    thread: SessionThread,
    settings: SessionSettings,
    onEnd: () => void,
  ) {
    this.pruning = pruning;
    this.#thread = thread;
    this.#model = model.pruned(pruning, new SessionCache(thread, settings, ownSessions));
    this.#largestBatch = largestBatch(pruning, settings.threads);
    this.#onEnd = onEnd;
  }

  /** Loads what images of a size need. */
  load(shape: UNetShape): Promise<void> {
    return this.#model.load(shape);
  }

  /**
   * Does work with the pruned model, which stays until it is done.
   *
   * @param work is given the model and how many images may share a batch
   * @throws LetheError `session-lost` once it was released
   */
  async use<T>(work: (model: StableDiffusion, largestBatch: number) => Promise<T>): Promise<T> {
    if (this.#released)
      throw new LetheError('session-lost', {
        what: 'cannot make images under this mask',
        why: 'it was released: another mask has taken its place',
        next: 'ask again',
      });
    this.#users += 1;
    try {
      return await work(this.#model, this.#largestBatch);
    } finally {
      this.#users -= 1;
      if (this.#users === 0) this.#idle();
    }
  }

  /** Takes no more work, and frees the memory once what is under way is done. Releasing again waits for the same end. */
  async release(): Promise<void> {
    this.#released = true;
    if (this.#users > 0)
      await new Promise<void>((resolve) => {
        const before = this.#idle;
        this.#idle = () => {
          before();
          resolve();
        };
      });
    await this.end();
  }

  /** Frees the memory now: what is under way fails with `session-lost`. */
  end(): Promise<void> {
    this.#released = true;
    if (this.#ended === undefined) {
      this.#onEnd();
      this.#ended = this.#thread.close();
    }
    return this.#ended;
  }
}
