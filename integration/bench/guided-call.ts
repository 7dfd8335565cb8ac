import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Checkpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { commonDirectory } from '../../shared/checkpoint/common-directory.ts';
import { parseClipTextConfig } from '../../shared/model/family/clip/config.ts';
import { parseUNetConfig } from '../../shared/model/family/unet/config.ts';
import { unet, unetInputs } from '../../shared/model/family/unet/unet.ts';
import { type Graph, graphOf } from '../../shared/model/graph/graph.ts';
import { Module, ParameterSource } from '../../shared/model/module.ts';
import { TorchGenerator } from '../../worker/diffusion/noise/torch-generator.ts';
import type { SessionSettings } from '../../worker/session/protocol.ts';
import type { SessionThread } from '../../worker/session/session-thread.ts';
import { openRuntime } from './runtime.ts';

/** What one guided call is asked: latents of some trajectories, and two texts for each. */
export interface GuidedInput {
  readonly trajectories: number;
  /** [trajectories, channels, height, width] */
  readonly sample: Float32Array;
  /** [2 × trajectories, tokens, width]: empty prompt and prompt of a trajectory beside each other */
  readonly context: Float32Array;
  readonly sampleShape: readonly number[];
  readonly contextShape: readonly number[];
}

/** A UNet that answers guided calls: [2 × trajectories, channels, height, width]. */
export interface GuidedUNet {
  call(input: GuidedInput): Promise<Float32Array>;
  release(): Promise<void>;
}

const timestep = { type: 'float32', shape: [1], data: Float32Array.of(501) } as const;
const rows = 2;

/** Noise of seed 0 in the shapes of a checkpoint's UNet. */
export function guidedInput(checkpoint: Checkpoint, trajectories: number): GuidedInput {
  const config = parseUNetConfig(checkpoint.unet);
  const sampleShape = [trajectories, config.inChannels, ...config.sampleSize];
  const contextShape = [rows * trajectories, tokensOf(checkpoint), config.crossAttentionWidth];
  const generator = new TorchGenerator(0n);
  const randn = (shape: readonly number[]): Float32Array => generator.randn(shape.reduce((a, b) => a * b, 1));
  return { trajectories, sample: randn(sampleShape), context: randn(contextShape), sampleShape, contextShape };
}

/** The graph that Lethe runs for a guided call. */
export function guidedGraph(
  checkpoint: Checkpoint,
  weights: ParameterSource = new ParameterSource(checkpoint.unet.weights),
): Graph {
  const config = parseUNetConfig(checkpoint.unet);
  const [height, width] = config.sampleSize;
  return graphOf('unet', [unet(new Module(weights), config, { height, width, tokens: tokensOf(checkpoint), rows })]);
}

/** Lethe's, as it is used: through its session thread, with what crossing the thread costs. */
export async function openLethe(
  checkpoint: Checkpoint,
  thread: SessionThread,
  settings: SessionSettings,
): Promise<GuidedUNet> {
  const session = await thread.open(guidedGraph(checkpoint), settings);
  return {
    async call({ sample, context, sampleShape, contextShape }) {
      const outputs = await session.run({
        [unetInputs.sample]: { type: 'float32', shape: sampleShape, data: sample },
        [unetInputs.timestep]: timestep,
        [unetInputs.context]: { type: 'float32', shape: contextShape, data: context },
      });
      const [prediction] = outputs.values();
      return prediction?.data ?? new Float32Array();
    },
    release: () => session.dispose(),
  };
}

/** PyTorch's own export (make-plain-unet.py), on this thread. It wants every trajectory's latents once a row. */
export async function openPlain(checkpoint: Checkpoint, threads: number): Promise<GuidedUNet> {
  // From dist/integration/bench/ to the sources: compiling copies no model.
  const here = dirname(fileURLToPath(import.meta.url));
  const file = join(here, '..', '..', '..', 'integration', 'bench', 'plain-unet.onnx');
  const weightsDirectory = commonDirectory(checkpoint.unet.weights.files.map(({ path }) => path));
  const session = await openRuntime(await readFile(file), file, weightsDirectory, threads);
  return {
    call({ trajectories, sample, context, sampleShape, contextShape }) {
      const [, ...image] = sampleShape;
      const length = sample.length / trajectories;
      const repeated = new Float32Array(rows * sample.length);
      for (let row = 0; row < rows * trajectories; row++) {
        const from = Math.floor(row / rows) * length;
        repeated.set(sample.subarray(from, from + length), row * length);
      }
      return session.run({
        sample: { shape: [rows * trajectories, ...image], data: repeated },
        timestep,
        encoder_hidden_states: { shape: contextShape, data: context },
      });
    },
    release: () => session.release(),
  };
}

function tokensOf(checkpoint: Checkpoint): number {
  return parseClipTextConfig(checkpoint.textEncoder).positions;
}
