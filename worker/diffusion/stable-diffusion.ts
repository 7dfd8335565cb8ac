import type { JsonObject } from '../../shared/checkpoint/json-file.ts';
import type { Checkpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { unsupported } from '../../shared/model/config.ts';
import { clipText, clipTextInputs } from '../../shared/model/family/clip/clip-text.ts';
import { type ClipTextConfig, parseClipTextConfig } from '../../shared/model/family/clip/config.ts';
import { parseUNetConfig, type UNetConfig } from '../../shared/model/family/unet/config.ts';
import { unet, unetInputs } from '../../shared/model/family/unet/unet.ts';
import { imageScale, parseVaeConfig, type VaeConfig } from '../../shared/model/family/vae/config.ts';
import { vaeDecoder, vaeInputs } from '../../shared/model/family/vae/decoder.ts';
import { graphOf } from '../../shared/model/graph/graph.ts';
import { Module, ParameterSource } from '../../shared/model/module.ts';
import {
  type ClipTokenizer,
  loadClipTokenizer,
  type TokenizedPrompt,
} from '../../shared/model/tokenizer/clip-tokenizer.ts';
import { elementCount, type FloatTensor } from '../../shared/tensor/float-tensor.ts';
import type { Session } from '../session/session-thread.ts';
import type { SessionCache } from '../session/session-cache.ts';
import { denoise, type Predict } from './denoise.ts';
import { denormalize, type Image } from './image.ts';
import { checkSampling, rowsOf, type Sampling } from './sampling.ts';
import {
  applyPipelineFixups,
  parseSchedulerConfig,
  type SchedulerConfig,
  schedulerNameOf,
} from './scheduler/scheduler-config.ts';
import type { SchedulerName } from './scheduler/scheduler-name.ts';
import { createScheduler, type Scheduler } from './scheduler/scheduler.ts';
import { startTrajectory, type Trajectory } from './trajectory.ts';

/** What a text encoder makes of one prompt: float[tokens, width]. */
export type PromptEmbedding = Float32Array;

/**
 * A Stable Diffusion 1.x checkpoint that can be sampled: what diffusers' StableDiffusionPipeline does, in its parts.
 * Models are loaded when first needed and shared through the cache.
 */
export class StableDiffusion {
  readonly checkpoint: Checkpoint;
  readonly tokenizer: ClipTokenizer;
  readonly unetConfig: UNetConfig;
  readonly vaeConfig: VaeConfig;
  readonly #textConfig: ClipTextConfig;
  readonly #schedulerConfig: SchedulerConfig;
  readonly #sessions: SessionCache;

  private constructor(checkpoint: Checkpoint, tokenizer: ClipTokenizer, text: ClipTextConfig, sessions: SessionCache) {
    this.checkpoint = checkpoint;
    this.tokenizer = tokenizer;
    this.unetConfig = withPipelineFixups(parseUNetConfig(checkpoint.unet), checkpoint);
    this.vaeConfig = parseVaeConfig(checkpoint.vae);
    this.#textConfig = text;
    const { schedulerConfig, schedulerConfigPath, modelIndex } = checkpoint;
    const className = schedulerClassOf(modelIndex);
    this.#schedulerConfig = applyPipelineFixups(parseSchedulerConfig(schedulerConfig, schedulerConfigPath, className));
    this.#sessions = sessions;
  }

  /**
   * @throws LetheError `config-unsupported` or `config-invalid` for what the checkpoint asks for, `tokenizer-invalid` if
   *   the tokenizer does not fit the text encoder. Weights are checked when a model is first used.
   */
  static async open(checkpoint: Checkpoint, sessions: SessionCache): Promise<StableDiffusion> {
    const { modelIndex, modelIndexPath, textEncoder } = checkpoint;
    requireStableDiffusion(modelIndex, modelIndexPath);
    const text = parseClipTextConfig(textEncoder);
    const tokenizer = await loadClipTokenizer(checkpoint.tokenizer, text.positions);
    if (tokenizer.vocabularySize > text.vocabulary) {
      throw new LetheError('tokenizer-invalid', {
        what: 'the tokenizer does not fit the text encoder',
        where: textEncoder.configPath,
        why: `the tokenizer gives ids up to ${tokenizer.vocabularySize - 1} and vocab_size is ${text.vocabulary}`,
        next: 'restore the tokenizer that came with the weights',
      });
    }
    return new StableDiffusion(checkpoint, tokenizer, text, sessions);
  }

  /** The sampler the checkpoint itself names. @throws LetheError `config-unsupported` for one Lethe does not have. */
  get defaultScheduler(): SchedulerName {
    return schedulerNameOf(this.#schedulerConfig);
  }

  /** Pixels of the image a latent pixel stands for, along each side. */
  get imageScale(): number {
    return imageScale(this.vaeConfig);
  }

  /** @throws LetheError `sampling-invalid`, or `config-unsupported` for a setting of the checkpoint's scheduler. */
  scheduler(sampling: Sampling): Scheduler {
    checkSampling(sampling);
    return createScheduler(sampling.scheduler, this.#schedulerConfig, sampling.steps);
  }

  /** The text encoder's last hidden state of each prompt; one call for all. */
  async encode(prompts: readonly TokenizedPrompt[]): Promise<readonly PromptEmbedding[]> {
    if (prompts.length === 0) return [];
    const length = this.tokenizer.maxLength;
    const data = new Int32Array(prompts.length * length);
    for (const [i, { ids }] of prompts.entries()) data.set(ids, i * length);
    const build = () => graphOf('text_encoder', [clipText(this.#root('textEncoder'), this.#textConfig, length)]);
    return this.#sessions.use(`${this.checkpoint.directory} text_encoder`, build, async (session) => {
      const ids = { type: 'int32', shape: [prompts.length, length], data } as const;
      return rowsOfTensor(await onlyOutput(session, { [clipTextInputs.ids]: ids }), prompts.length);
    });
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
    const context = new Float32Array(start.length * rows * tokens * crossAttentionWidth);
    const perRow = tokens * crossAttentionWidth;
    for (const [i, text] of texts.entries()) {
      if (rows === 2) context.set(empty, 2 * i * perRow);
      context.set(text, (rows * i + rows - 1) * perRow);
    }
    const build = () => graphOf('unet', [unet(this.#root('unet'), this.unetConfig, { height, width, tokens, rows })]);
    const key = `${this.checkpoint.directory} unet ${height}x${width} ${rows}`;

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

  /** Decodes finished trajectories; one call for all. */
  async decode(sampling: Sampling, latents: readonly Float32Array[]): Promise<readonly Image[]> {
    const scaled = latents.map((values) => values.map((value) => value / this.vaeConfig.scalingFactor));
    const decoded = await this.decodeRaw(sampling.height, sampling.width, scaled);
    const [height, width] = [sampling.height * this.imageScale, sampling.width * this.imageScale];
    return decoded.map((values) => ({
      channels: this.vaeConfig.imageChannels,
      height,
      width,
      data: denormalize(values),
    }));
  }

  /** The decoder alone, AutoencoderKL.decode: latents as it takes them, [channels, height, width], to about [-1, 1]. */
  async decodeRaw(height: number, width: number, latents: readonly Float32Array[]): Promise<readonly Float32Array[]> {
    const build = () => graphOf('vae_decoder', [vaeDecoder(this.#root('vae'), this.vaeConfig, height, width)]);
    return this.#sessions.use(`${this.checkpoint.directory} vae ${height}x${width}`, build, async (session) => {
      const shape = [latents.length, this.vaeConfig.latentChannels, height, width];
      const feed = { type: 'float32', shape, data: concatenate(latents) } as const;
      return rowsOfTensor(await onlyOutput(session, { [vaeInputs.latents]: feed }), latents.length);
    });
  }

  #root(component: 'unet' | 'textEncoder' | 'vae'): Module {
    return new Module(new ParameterSource(this.checkpoint[component].weights));
  }
}

/**
 * Checkpoints saved before diffusers 0.9 with a sample_size below 64 mean 64 (pipeline_stable_diffusion.py, __init__).
 */
function withPipelineFixups(config: UNetConfig, checkpoint: Checkpoint): UNetConfig {
  const version = checkpoint.unet.config['_diffusers_version'];
  const old = typeof version === 'string' && /^0\.[0-8](\.|$)/.test(version);
  const small = config.sampleSize.every((side) => side < 64);
  return old && small ? { ...config, sampleSize: [64, 64] } : config;
}

/** @throws LetheError `config-unsupported` if model_index.json names a pipeline of another family. */
export function requireStableDiffusion(modelIndex: JsonObject, path: string): void {
  if (modelIndex['_class_name'] === 'StableDiffusionPipeline') return;
  throw unsupported({ config: modelIndex, configPath: path }, '_class_name', 'StableDiffusionPipeline');
}

/** The class that model_index.json names for the scheduler, as [library, class]. */
export function schedulerClassOf(modelIndex: JsonObject): string | undefined {
  const entry = modelIndex['scheduler'];
  const [, name] = Array.isArray(entry) ? (entry as readonly unknown[]) : [];
  return typeof name === 'string' ? name : undefined;
}

async function onlyOutput(session: Session, feeds: Parameters<Session['run']>[0]): Promise<FloatTensor> {
  const [output] = (await session.run(feeds)).values();
  return output ?? { shape: [0], data: new Float32Array() };
}

/** The parts of a tensor that belong to each of `count` items along its first axis. */
function rowsOfTensor(tensor: FloatTensor, count: number): readonly Float32Array[] {
  const length = elementCount(tensor.shape) / count;
  return Array.from({ length: count }, (_, i) => tensor.data.subarray(i * length, (i + 1) * length));
}

function concatenate(arrays: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(arrays.reduce((sum, array) => sum + array.length, 0));
  let offset = 0;
  for (const array of arrays) {
    joined.set(array, offset);
    offset += array.length;
  }
  return joined;
}
