import type { Checkpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import type { Mask } from '../../shared/mask/mask.ts';
import { type GenerateEvent, type GeneratedImage, generateImages, type ImageRequest } from '../diffusion/generate.ts';
import type { UNetShape } from '../diffusion/pipeline-models.ts';
import { rowsOf, type Sampling } from '../../shared/diffusion/sampling.ts';
import { StableDiffusion } from '../diffusion/stable-diffusion.ts';
import type { SessionSettings } from '../session/protocol.ts';
import { SessionCache } from '../session/session-cache.ts';
import { SessionThread } from '../session/session-thread.ts';
import { type MaskUse, pruningOf, unpruned } from './pruning.ts';
import { PreparedMask } from './prepared-mask.ts';

/** The text encoder, and a decoder for each of two sizes. */
const sharedSessions = 3;

/**
 * A checkpoint that serves images with one mask after another. Each mask is a UNet of its own, loaded on a thread of its own
 * while the one before goes on serving: no request waits for a swap, and none sees half a mask. An image's bytes depend on
 * its prompt, seed, sampling, mask, and the settings of the sessions; not on what shared its batch, nor on what was
 * prepared before.
 *
 * Held in memory: the decoder and the text encoder once; the UNet of every mask that was prepared and not released, or
 * that is still at work. One that swaps as `PreparedMask` says holds two UNets for the length of a swap, else one.
 */
export class ServingModel {
  readonly #model: StableDiffusion;
  /** Of the checkpoint. */
  readonly #id: string;
  readonly #settings: SessionSettings;
  readonly #thread: SessionThread;
  readonly #prepared = new Set<PreparedMask>();
  /** What images were last made in: what the next mask is loaded for. */
  #shape: UNetShape;
  /** Started ahead: a thread that is there makes a swap shorter. */
  #spare: SessionThread | undefined;
  /** Masks are prepared one at a time, so that no more than one UNet is there too many. */
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(model: StableDiffusion, id: string, settings: SessionSettings, thread: SessionThread) {
    this.#model = model;
    this.#id = id;
    this.#settings = settings;
    this.#thread = thread;
    const [height, width] = model.unetConfig.sampleSize;
    this.#shape = { height, width, guidance: 2 };
  }

  /**
   * @param id of the checkpoint
   * @throws LetheError as `StableDiffusion.open`
   */
  static async open(checkpoint: Checkpoint, id: string, settings: SessionSettings): Promise<ServingModel> {
    const thread = new SessionThread();
    try {
      const model = await StableDiffusion.open(checkpoint, new SessionCache(thread, settings, sharedSessions));
      return new ServingModel(model, id, settings, thread);
    } catch (error) {
      await thread.close();
      throw error;
    }
  }

  /** What it samples from, without a mask: for its tokenizer, sizes and defaults. */
  get model(): StableDiffusion {
    return this.#model;
  }

  /**
   * Loads the checkpoint with a mask, or with none, for the size that images were last made in (at first the checkpoint's
   * own, with guidance); other sizes are loaded when they are first asked for. Masks are prepared one after the other.
   *
   * @throws LetheError `mask-mismatch` if the mask does not fit the checkpoint, before anything is loaded; as `Session`.
   */
  prepare(mask: Mask | undefined, use: MaskUse = 'union'): Promise<PreparedMask> {
    const next = this.#queue.then(() => this.#prepare(mask, use));
    this.#queue = next.catch(() => undefined);
    return next;
  }

  /**
   * Images under a prepared mask, `batch` at a time, in the order of the requests. What `onEvent` throws ends the work.
   *
   * @throws LetheError `sampling-invalid`, `tensor-mismatch`, `non-finite`; `session-lost` if the mask was released before.
   */
  async generate(
    prepared: PreparedMask,
    sampling: Sampling,
    requests: readonly ImageRequest[],
    batch: number,
    onEvent: (event: GenerateEvent) => void,
  ): Promise<readonly GeneratedImage[]> {
    return prepared.use(async (model, largest) => {
      const images = await generateImages(model, sampling, requests, Math.min(batch, largest), onEvent);
      this.#shape = { height: sampling.height, width: sampling.width, guidance: rowsOf(sampling) };
      return images;
    });
  }

  /** Releases everything. Images that are being made fail with `session-lost`. */
  async close(): Promise<void> {
    await this.#queue;
    const threads = [this.#thread, this.#spare].filter((thread) => thread !== undefined);
    await Promise.all([...[...this.#prepared].map((each) => each.end()), ...threads.map((thread) => thread.close())]);
  }

  async #prepare(mask: Mask | undefined, use: MaskUse): Promise<PreparedMask> {
    const { checkpoint } = this.#model;
    const pruning = mask === undefined ? unpruned : pruningOf(mask, checkpoint, this.#id, use);
    const thread = this.#spare ?? new SessionThread();
    this.#spare = undefined;
    const prepared = new PreparedMask(this.#model, pruning, thread, this.#settings, () =>
      this.#prepared.delete(prepared),
    );
    this.#prepared.add(prepared);
    try {
      await prepared.load(this.#shape);
    } catch (error) {
      await prepared.release();
      throw error;
    }
    this.#spare = new SessionThread();
    return prepared;
  }
}
