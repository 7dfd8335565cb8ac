import type { Checkpoint } from '../checkpoint/open-checkpoint.ts';
import { LetheError } from '../error/lethe-error.ts';
import { imageScale } from '../model/family/vae/config.ts';
import type { Graph } from '../model/graph/graph.ts';
import { type ClipTokenizer, loadClipTokenizer } from '../model/tokenizer/clip-tokenizer.ts';
import { parsePipelineConfig, type PipelineConfig, requireFit } from './pipeline-config.ts';
import { decoderGraph, textGraph, unetGraph } from './pipeline-graphs.ts';
import { checkSampling, rowsOf, type Sampling } from './sampling.ts';
import { schedulerNameOf } from './scheduler/scheduler-config.ts';
import { createScheduler, type Scheduler } from './scheduler/scheduler.ts';

/**
 * A checkpoint whose parts are read and fit each other. Whoever draws with it, observes it, or only plans to, opens it
 * here: all of them refuse the same.
 */
export interface Pipeline {
  readonly checkpoint: Checkpoint;
  readonly config: PipelineConfig;
  readonly tokenizer: ClipTokenizer;
}

/** Sampling settings as people give them: what is absent is the checkpoint's own. */
export type AskedSampling = Pick<Sampling, 'steps' | 'guidance'> & {
  readonly scheduler?: Sampling['scheduler'] | undefined;
  /** Of the image, in pixels. */
  readonly size?: { readonly width: number; readonly height: number } | undefined;
};

/** The models of a pipeline, for a batch of any length. */
export interface PipelineGraphs {
  readonly textEncoder: Graph;
  readonly unet: Graph;
  readonly decoder: Graph;
}

/**
 * @throws LetheError `config-unsupported` or `config-invalid` for what the checkpoint asks for, `tokenizer-invalid` if the
 *   tokenizer does not fit the text encoder. Weights are checked by `pipelineGraphs`.
 */
export async function openPipeline(checkpoint: Checkpoint): Promise<Pipeline> {
  const config = parsePipelineConfig(checkpoint);
  const tokenizer = await loadClipTokenizer(checkpoint.tokenizer, config.text.positions);
  requireFit(checkpoint, config, tokenizer);
  return { checkpoint, config, tokenizer };
}

/** @throws LetheError `sampling-invalid` for a size that does not divide, `config-unsupported` for the checkpoint's scheduler. */
export function samplingOf({ config }: Pipeline, { scheduler, steps, guidance, size }: AskedSampling): Sampling {
  const [height, width] = size === undefined ? config.unet.sampleSize : latentSize(size, imageScale(config.vae));
  return { scheduler: scheduler ?? schedulerNameOf(config.scheduler), steps, guidance, height, width };
}

/**
 * The scheduler of a trajectory.
 *
 * @throws LetheError `sampling-invalid`, or `config-invalid` or `config-unsupported` for a setting of the checkpoint's
 *   scheduler.
 */
export function pipelineScheduler({ config }: Pick<Pipeline, 'config'>, sampling: Sampling): Scheduler {
  checkSampling(sampling);
  return createScheduler(sampling.scheduler, config.scheduler, sampling.steps);
}

/** @throws LetheError `tensor-mismatch` for a weight that is missing or has another shape than the config says. */
export function pipelineGraphs(
  { checkpoint, config, tokenizer }: Pipeline,
  { height, width, guidance }: Pick<Sampling, 'height' | 'width' | 'guidance'>,
): PipelineGraphs {
  const tokens = tokenizer.maxLength;
  const call = { height, width, tokens, rows: rowsOf({ guidance }) };
  return {
    textEncoder: textGraph(checkpoint, config, tokens),
    unet: unetGraph(checkpoint, config, call),
    decoder: decoderGraph(checkpoint, config, height, width),
  };
}

/** All that drawing with these settings would find out before its first call. @throws LetheError as the functions above. */
export function checkDrawing(pipeline: Pipeline, asked: AskedSampling): Sampling {
  const sampling = samplingOf(pipeline, asked);
  pipelineScheduler(pipeline, sampling);
  pipelineGraphs(pipeline, sampling);
  return sampling;
}

function latentSize(
  { width, height }: { readonly width: number; readonly height: number },
  scale: number,
): readonly [height: number, width: number] {
  if (width % scale === 0 && height % scale === 0) return [height / scale, width / scale];
  throw new LetheError('sampling-invalid', {
    what: 'cannot sample this size',
    where: 'size',
    why: `${width}x${height} does not divide by ${scale}, the scale of the VAE`,
    next: `give multiples of ${scale}`,
  });
}
