import type { Checkpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import type { UNetConfig } from '../../shared/model/family/unet/config.ts';
import { imageScale, type VaeConfig } from '../../shared/model/family/vae/config.ts';
import type { ClipTokenizer, TokenizedPrompt } from '../../shared/model/tokenizer/clip-tokenizer.ts';
import { type Pruning, unpruned } from '../prune/pruning.ts';
import type { SessionCache } from '../session/session-cache.ts';
import { denoise } from './denoise.ts';
import { denormalize, type Image } from './image.ts';
import { type BuiltLayers, builtLayers } from '../../shared/diffusion/built-layers.ts';
import { openPipeline, type Pipeline, pipelineGraphs, pipelineScheduler } from '../../shared/diffusion/pipeline.ts';
import { PipelineModels, type UNetShape } from './pipeline-models.ts';
import { rowsOfTensor } from './rows.ts';
import { rowsOf, type Sampling } from '../../shared/diffusion/sampling.ts';
import { schedulerNameOf } from '../../shared/diffusion/scheduler/scheduler-config.ts';
import type { SchedulerName } from '../../shared/model/scheduler-name.ts';
import type { Scheduler } from '../../shared/diffusion/scheduler/scheduler.ts';
import { requireLatents, startTrajectory, type Trajectory } from './trajectory.ts';

/** What a text encoder makes of one prompt: float[tokens, width]. */
export type PromptEmbedding = Float32Array;

/**
 * A Stable Diffusion 1.x checkpoint that can be sampled: what diffusers' StableDiffusionPipeline does, in its parts.
 * Models are loaded when first needed and shared through the cache.
 */
export class StableDiffusion {
  readonly checkpoint: Checkpoint;
  readonly tokenizer: ClipTokenizer;
  readonly #pipeline: Pipeline;
  readonly #models: PipelineModels;
  #built: BuiltLayers | undefined;

  private constructor(pipeline: Pipeline, models: PipelineModels) {
    this.checkpoint = pipeline.checkpoint;
    this.tokenizer = pipeline.tokenizer;
    this.#pipeline = pipeline;
    this.#models = models;
  }

  /**
   * @param pruning what of its weights counts as 0
   * @throws LetheError `config-unsupported` or `config-invalid` for what the checkpoint asks for, `tokenizer-invalid` if
   *   the tokenizer does not fit the text encoder. Weights are checked when a model is first used.
   */
  static async open(
    checkpoint: Checkpoint,
    sessions: SessionCache,
    pruning: Pruning = unpruned,
  ): Promise<StableDiffusion> {
    const pipeline = await openPipeline(checkpoint);
    const { config, tokenizer } = pipeline;
    const all = { textEncoder: sessions, unet: sessions, vae: sessions };
    const models = new PipelineModels(checkpoint, config, tokenizer.maxLength, all, pruning);
    return new StableDiffusion(pipeline, models);
  }

  /** The same checkpoint with a part of its weights at 0. What that changes is loaded in `sessions`, the rest is shared. */
  pruned(pruning: Pruning, sessions: SessionCache): StableDiffusion {
    const models = this.#models.pruned(pruning, sessions);
    return new StableDiffusion(this.#pipeline, models);
  }

  /** The layers that the configs build. @throws LetheError `tensor-mismatch` as `checkWeights` */
  get built(): BuiltLayers {
    const [height, width] = this.unetConfig.sampleSize;
    this.#built ??= builtLayers(pipelineGraphs(this.#pipeline, { height, width, guidance: 1 }));
    return this.#built;
  }

  get unetConfig(): UNetConfig {
    return this.#pipeline.config.unet;
  }

  get vaeConfig(): VaeConfig {
    return this.#pipeline.config.vae;
  }

  /** The sampler the checkpoint itself names. @throws LetheError `config-unsupported` for one Lethe does not have. */
  get defaultScheduler(): SchedulerName {
    return schedulerNameOf(this.#pipeline.config.scheduler);
  }

  /** Pixels of the image a latent pixel stands for, along each side. */
  get imageScale(): number {
    return imageScale(this.vaeConfig);
  }

  /** @throws LetheError `sampling-invalid`, or `config-unsupported` for a setting of the checkpoint's scheduler. */
  scheduler(sampling: Sampling): Scheduler {
    return pipelineScheduler(this.#pipeline, sampling);
  }

  /**
   * What `encode`, `denoise` and `decode` would find out one after the other, at once and without running anything.
   *
   * @throws LetheError `tensor-mismatch` for a weight that is missing or has another shape than the config says.
   */
  checkWeights(shape: UNetShape): void {
    this.#models.check(shape);
  }

  /** Loads the models that images of this size need, so that the first one does not wait. @throws LetheError as the models. */
  load(shape: UNetShape): Promise<void> {
    return this.#models.load(shape);
  }

  /** The text encoder's last hidden state of each prompt; one call for all. */
  async encode(prompts: readonly TokenizedPrompt[]): Promise<readonly PromptEmbedding[]> {
    if (prompts.length === 0) return [];
    const length = this.tokenizer.maxLength;
    const ids = new Int32Array(prompts.length * length);
    for (const [i, prompt] of prompts.entries()) ids.set(prompt.ids, i * length);
    return rowsOfTensor(await this.#models.encode(ids), prompts.length);
  }

  /** A trajectory before its first call. */
  start(seed: bigint | number, sampling: Sampling, scheduler: Scheduler): Trajectory {
    return startTrajectory(seed, this.unetConfig.inChannels * sampling.height * sampling.width, scheduler);
  }

  /**
   * The denoising loop for a batch; see `denoise`.
   *
   * @param scheduler what `scheduler(sampling)` gives, or another one made for these steps
   * @param texts the embedding of each trajectory's prompt
   * @param empty the embedding of the empty prompt; not used without guidance
   * @throws LetheError `trajectory-invalid` if a trajectory's latents are not of the size that is sampled, and what
   *   `denoise` throws.
   */
  async *denoise(
    sampling: Sampling,
    scheduler: Scheduler,
    start: readonly Trajectory[],
    texts: readonly PromptEmbedding[],
    empty: PromptEmbedding,
  ): AsyncGenerator<readonly Trajectory[], void, undefined> {
    const { height, width } = sampling;
    const rows = rowsOf(sampling);
    const { inChannels, crossAttentionWidth } = this.unetConfig;
    for (const { latents } of start) requireLatents(latents, inChannels, height, width);
    const perRow = this.tokenizer.maxLength * crossAttentionWidth;
    const context = new Float32Array(start.length * rows * perRow);
    for (const [i, text] of texts.entries()) {
      if (rows === 2) context.set(empty, 2 * i * perRow);
      context.set(text, (rows * i + rows - 1) * perRow);
    }
    yield* denoise(this.#models.predict(sampling, context), scheduler, sampling, start);
  }

  /**
   * Decodes finished trajectories; one call for all.
   *
   * @throws LetheError `non-finite` with the place in the batch if a pixel is not finite.
   */
  async decode(sampling: Sampling, latents: readonly Float32Array[]): Promise<readonly Image[]> {
    const factor = Math.fround(this.vaeConfig.scalingFactor);
    const scaled = latents.map((values) => values.map((value) => value / factor));
    const decoded = await this.decodeRaw(sampling.height, sampling.width, scaled);
    const [height, width] = [sampling.height * this.imageScale, sampling.width * this.imageScale];
    return decoded.map((values, i) => {
      requireFinite(values, i);
      return { channels: this.vaeConfig.imageChannels, height, width, data: denormalize(values) };
    });
  }

  /** The decoder alone, AutoencoderKL.decode: latents as it takes them, [channels, height, width], to about [-1, 1]. */
  decodeRaw(height: number, width: number, latents: readonly Float32Array[]): Promise<readonly Float32Array[]> {
    return this.#models.decode(height, width, latents);
  }
}

function requireFinite(decoded: Float32Array, place: number): void {
  if (decoded.every(Number.isFinite)) return;
  throw new LetheError('non-finite', {
    what: 'the decoder gave a pixel that is not finite',
    where: `image ${place} of the batch`,
    why: 'activations overflowed, or the weights hold values that are not finite',
    next: 'check that the VAE belongs to this UNet; a lower guidance can help',
  });
}
