import type { Checkpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { clipTextInputs } from '../../shared/model/family/clip/clip-text.ts';
import { unetInputs } from '../../shared/model/family/unet/unet.ts';
import { vaeInputs } from '../../shared/model/family/vae/decoder.ts';
import type { Graph } from '../../shared/model/graph/graph.ts';
import type { FloatTensor } from '../../shared/tensor/float-tensor.ts';
import { type Pruning, setAt, unpruned } from '../prune/pruning.ts';
import type { SessionCache } from '../session/session-cache.ts';
import type { Session } from '../session/session-thread.ts';
import type { Predict } from './denoise.ts';
import type { PipelineConfig } from '../../shared/diffusion/pipeline-config.ts';
import { decoderGraph, textGraph, unetGraph } from '../../shared/diffusion/pipeline-graphs.ts';
import { concatenate, rowsOfTensor } from './rows.ts';
import { rowsOf, type Sampling } from '../../shared/diffusion/sampling.ts';

/** Where the sessions of each model are kept. */
export interface ModelSessions {
  readonly textEncoder: SessionCache;
  readonly unet: SessionCache;
  readonly vae: SessionCache;
}

/** The size of a UNet's session: models of two sizes are two sessions. */
export type UNetShape = Pick<Sampling, 'height' | 'width' | 'guidance'>;

/** The three models of a pipeline over a checkpoint's weights, pruned or not: what their sessions are, and calls of them. */
export class PipelineModels {
  readonly #checkpoint: Checkpoint;
  readonly #config: PipelineConfig;
  /** Tokens a prompt. */
  readonly #tokens: number;
  readonly #sessions: ModelSessions;
  readonly #pruning: Pruning;

  constructor(
    checkpoint: Checkpoint,
    config: PipelineConfig,
    tokens: number,
    sessions: ModelSessions,
    pruning: Pruning,
  ) {
    this.#checkpoint = checkpoint;
    this.#config = config;
    this.#tokens = tokens;
    this.#sessions = sessions;
    this.#pruning = pruning;
  }

  /** The same models, pruned: the UNet in `sessions`, and the text encoder too where something of it is pruned. */
  pruned(pruning: Pruning, sessions: SessionCache): PipelineModels {
    const textEncoder = pruning.textEncoder.size === 0 ? this.#sessions.textEncoder : sessions;
    const all = { ...this.#sessions, textEncoder, unet: sessions };
    return new PipelineModels(this.#checkpoint, this.#config, this.#tokens, all, pruning);
  }

  /** Builds every graph and runs nothing. @throws LetheError `tensor-mismatch`. */
  check(shape: UNetShape): void {
    this.#textGraph();
    this.#unetGraph(shape);
    this.#decoderGraph(shape.height, shape.width);
  }

  /** Loads what images of a size need. */
  async load(shape: UNetShape): Promise<void> {
    const nothing = () => Promise.resolve();
    await this.#useText(nothing);
    await this.#useUNet(shape, nothing);
    await this.#useDecoder(shape.height, shape.width, nothing);
  }

  /** @param ids int32[prompts, tokens] @returns float[prompts, tokens, width] */
  encode(ids: Int32Array): Promise<FloatTensor> {
    const feed = { type: 'int32', shape: [ids.length / this.#tokens, this.#tokens], data: ids } as const;
    return this.#useText((session) => onlyOutput(session, { [clipTextInputs.ids]: feed }));
  }

  /** UNet calls of a batch. @param context float[rows × trajectories, tokens, width] */
  predict(shape: UNetShape, context: Float32Array): Predict {
    const { inChannels, crossAttentionWidth } = this.#config.unet;
    return (samples, timestep) =>
      this.#useUNet(shape, async (session) => {
        const feeds = {
          [unetInputs.sample]: {
            type: 'float32',
            shape: [samples.length, inChannels, shape.height, shape.width],
            data: concatenate(samples),
          },
          [unetInputs.timestep]: { type: 'float32', shape: [1], data: Float32Array.of(timestep) },
          [unetInputs.context]: {
            type: 'float32',
            shape: [samples.length * rowsOf(shape), this.#tokens, crossAttentionWidth],
            data: context,
          },
        } as const;
        return rowsOfTensor(await onlyOutput(session, feeds, setAt(this.#pruning, timestep)), samples.length);
      });
  }

  /** AutoencoderKL.decode: latents as it takes them, [channels, height, width], to about [-1, 1]. */
  decode(height: number, width: number, latents: readonly Float32Array[]): Promise<readonly Float32Array[]> {
    return this.#useDecoder(height, width, async (session) => {
      const shape = [latents.length, this.#config.vae.latentChannels, height, width];
      const feed = { type: 'float32', shape, data: concatenate(latents) } as const;
      return rowsOfTensor(await onlyOutput(session, { [vaeInputs.latents]: feed }), latents.length);
    });
  }

  #useText<T>(work: (session: Session) => Promise<T>): Promise<T> {
    // An encoder that nothing is pruned of is the same one under every mask.
    const { id } = this.#pruning.textEncoder.size === 0 ? unpruned : this.#pruning;
    return this.#sessions.textEncoder.use(this.#key(`text_encoder ${id}`), () => this.#textGraph(), work);
  }

  #useUNet<T>(shape: UNetShape, work: (session: Session) => Promise<T>): Promise<T> {
    const key = this.#key(`unet ${shape.height}x${shape.width} ${rowsOf(shape)} ${this.#pruning.id}`);
    return this.#sessions.unet.use(key, () => this.#unetGraph(shape), work);
  }

  #useDecoder<T>(height: number, width: number, work: (session: Session) => Promise<T>): Promise<T> {
    const build = () => this.#decoderGraph(height, width);
    return this.#sessions.vae.use(this.#key(`vae ${height}x${width}`), build, work);
  }

  #key(model: string): string {
    return `${this.#checkpoint.directory} ${model}`;
  }

  #textGraph(): Graph {
    return textGraph(this.#checkpoint, this.#config, this.#tokens, this.#pruning.textEncoder);
  }

  #unetGraph(shape: UNetShape): Graph {
    const { height, width } = shape;
    const call = { height, width, tokens: this.#tokens, rows: rowsOf(shape) };
    return unetGraph(this.#checkpoint, this.#config, call, this.#pruning.unet);
  }

  #decoderGraph(height: number, width: number): Graph {
    return decoderGraph(this.#checkpoint, this.#config, height, width);
  }
}

async function onlyOutput(session: Session, feeds: Parameters<Session['run']>[0], set?: number): Promise<FloatTensor> {
  const [output] = (await session.run(feeds, set)).values();
  return output ?? { shape: [0], data: new Float32Array() };
}
