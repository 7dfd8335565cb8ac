import type { Checkpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { clipTextInputs } from '../../shared/model/family/clip/clip-text.ts';
import type { UNetConfig } from '../../shared/model/family/unet/config.ts';
import { unetInputs } from '../../shared/model/family/unet/unet.ts';
import { imageScale, type VaeConfig } from '../../shared/model/family/vae/config.ts';
import { vaeInputs } from '../../shared/model/family/vae/decoder.ts';
import type { Graph } from '../../shared/model/graph/graph.ts';
import {
  type ClipTokenizer,
  loadClipTokenizer,
  type TokenizedPrompt,
} from '../../shared/model/tokenizer/clip-tokenizer.ts';
import type { FloatTensor } from '../../shared/tensor/float-tensor.ts';
import type { Session } from '../session/session-thread.ts';
import type { SessionCache } from '../session/session-cache.ts';
import { denoise, type Predict } from './denoise.ts';
import { denormalize, type Image } from './image.ts';
import { parsePipelineConfig, type PipelineConfig, requireFit } from './pipeline-config.ts';
import { decoderGraph, textGraph, unetGraph } from './pipeline-graphs.ts';
import { concatenate, rowsOfTensor } from './rows.ts';
import { checkSampling, rowsOf, type Sampling } from './sampling.ts';
import { schedulerNameOf } from './scheduler/scheduler-config.ts';
import type { SchedulerName } from './scheduler/scheduler-name.ts';
import { type Pruning, unpruned } from '../prune/pruning.ts';
import { createScheduler, type Scheduler } from './scheduler/scheduler.ts';
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
  readonly #config: PipelineConfig;
  readonly #sessions: SessionCache;
  readonly #pruning: Pruning;

  private constructor(
    checkpoint: Checkpoint,
    config: PipelineConfig,
    tokenizer: ClipTokenizer,
    sessions: SessionCache,
    pruning: Pruning,
  ) {
    this.checkpoint = checkpoint;
    this.tokenizer = tokenizer;
    this.#config = config;
    this.#sessions = sessions;
    this.#pruning = pruning;
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
    const config = parsePipelineConfig(checkpoint);
    const tokenizer = await loadClipTokenizer(checkpoint.tokenizer, config.text.positions);
    requireFit(checkpoint, config, tokenizer);
    return new StableDiffusion(checkpoint, config, tokenizer, sessions, pruning);
  }

  get unetConfig(): UNetConfig {
    return this.#config.unet;
  }

  get vaeConfig(): VaeConfig {
    return this.#config.vae;
  }

  /** The sampler the checkpoint itself names. @throws LetheError `config-unsupported` for one Lethe does not have. */
  get defaultScheduler(): SchedulerName {
    return schedulerNameOf(this.#config.scheduler);
  }

  /** Pixels of the image a latent pixel stands for, along each side. */
  get imageScale(): number {
    return imageScale(this.vaeConfig);
  }

  /** @throws LetheError `sampling-invalid`, or `config-unsupported` for a setting of the checkpoint's scheduler. */
  scheduler(sampling: Sampling): Scheduler {
    checkSampling(sampling);
    return createScheduler(sampling.scheduler, this.#config.scheduler, sampling.steps);
  }

  /**
   * What `encode`, `denoise` and `decode` would find out one after the other, at once and without running anything.
   *
   * @throws LetheError `tensor-mismatch` for a weight that is missing or has another shape than the config says.
   */
  checkWeights(sampling: Sampling): void {
    this.#textGraph();
    this.#unetGraph(sampling);
    this.#decoderGraph(sampling.height, sampling.width);
  }

  /** The text encoder's last hidden state of each prompt; one call for all. */
  async encode(prompts: readonly TokenizedPrompt[]): Promise<readonly PromptEmbedding[]> {
    if (prompts.length === 0) return [];
    const length = this.tokenizer.maxLength;
    const data = new Int32Array(prompts.length * length);
    for (const [i, { ids }] of prompts.entries()) data.set(ids, i * length);
    const build = () => this.#textGraph();
    return this.#sessions.use(
      `${this.checkpoint.directory} text_encoder ${this.#pruning.id}`,
      build,
      async (session) => {
        const ids = { type: 'int32', shape: [prompts.length, length], data } as const;
        return rowsOfTensor(await onlyOutput(session, { [clipTextInputs.ids]: ids }), prompts.length);
      },
    );
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
    const tokens = this.tokenizer.maxLength;
    const { inChannels, crossAttentionWidth } = this.unetConfig;
    for (const { latents } of start) requireLatents(latents, inChannels, height, width);
    const context = new Float32Array(start.length * rows * tokens * crossAttentionWidth);
    const perRow = tokens * crossAttentionWidth;
    for (const [i, text] of texts.entries()) {
      if (rows === 2) context.set(empty, 2 * i * perRow);
      context.set(text, (rows * i + rows - 1) * perRow);
    }
    const build = () => this.#unetGraph(sampling);
    const key = `${this.checkpoint.directory} unet ${height}x${width} ${rows} ${this.#pruning.id}`;

    const predict: Predict = (samples, timestep) =>
      this.#sessions.use(key, build, async (session) => {
        const shape = [samples.length, inChannels, height, width];
        const output = await onlyOutput(session, {
          [unetInputs.sample]: { type: 'float32', shape, data: concatenate(samples) },
          [unetInputs.timestep]: { type: 'float32', shape: [1], data: Float32Array.of(timestep) },
          [unetInputs.context]: {
            type: 'float32',
            shape: [samples.length * rows, tokens, crossAttentionWidth],
            data: context,
          },
        });
        return rowsOfTensor(output, samples.length);
      });
    yield* denoise(predict, scheduler, sampling, start);
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
  async decodeRaw(height: number, width: number, latents: readonly Float32Array[]): Promise<readonly Float32Array[]> {
    const build = () => this.#decoderGraph(height, width);
    return this.#sessions.use(`${this.checkpoint.directory} vae ${height}x${width}`, build, async (session) => {
      const shape = [latents.length, this.vaeConfig.latentChannels, height, width];
      const feed = { type: 'float32', shape, data: concatenate(latents) } as const;
      return rowsOfTensor(await onlyOutput(session, { [vaeInputs.latents]: feed }), latents.length);
    });
  }

  #textGraph(): Graph {
    return textGraph(this.checkpoint, this.#config, this.tokenizer.maxLength, this.#pruning.textEncoder);
  }

  #unetGraph(sampling: Sampling): Graph {
    const { height, width } = sampling;
    const call = { height, width, tokens: this.tokenizer.maxLength, rows: rowsOf(sampling) };
    return unetGraph(this.checkpoint, this.#config, call, this.#pruning.unet);
  }

  #decoderGraph(height: number, width: number): Graph {
    return decoderGraph(this.checkpoint, this.#config, height, width);
  }
}

async function onlyOutput(session: Session, feeds: Parameters<Session['run']>[0]): Promise<FloatTensor> {
  const [output] = (await session.run(feeds)).values();
  return output ?? { shape: [0], data: new Float32Array() };
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
