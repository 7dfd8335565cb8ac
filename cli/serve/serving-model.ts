import { basename } from 'node:path';
import { Option } from 'commander';
import { checkpointId } from '../../shared/checkpoint/checkpoint-id.ts';
import { type Checkpoint, openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { largestMask } from '../../shared/mask/largest-mask.ts';
import type { Sampling } from '../../shared/diffusion/sampling.ts';
import { type SchedulerName, schedulerNames } from '../../shared/model/scheduler-name.ts';
import type { StableDiffusion } from '../../worker/diffusion/stable-diffusion.ts';
import type { PreparedMask } from '../../worker/prune/prepared-mask.ts';
import type { MaskUse } from '../../worker/prune/pruning.ts';
import { ServingModel } from '../../worker/prune/serving-model.ts';
import type { ImageSize } from '../../worker/serve/image-request.ts';
import type { ImageModel } from '../../worker/serve/serving-process.ts';
import type { Provider } from '../../worker/session/provider.ts';
import { emojiSdDirectory, suggestedSampling } from '../default-checkpoint.ts';
import * as options from '../options.ts';

/** What is served, and how it is sampled. */
export interface ModelOptions {
  readonly checkpoint?: string;
  readonly variant?: string;
  readonly provider: Provider;
  readonly threads: number;
  readonly model?: string;
  readonly scheduler?: SchedulerName;
  readonly steps?: number;
  readonly guidance?: number;
  /** In pixels; none: the checkpoint's own. */
  readonly size: readonly ImageSize[];
  readonly perTimestep?: boolean;
}

export const modelOptions = (): readonly Option[] => [
  options.checkpointOption(),
  options.variantOption(),
  options.providerOption(),
  options.threadsOption(),
  new Option('--model <name>', "what requests call the model (default: the checkpoint's folder)").env('LETHE_MODEL'),
  new Option('--scheduler <name>', "diffusion scheduler (default: the checkpoint's own)")
    .choices(schedulerNames)
    .env('LETHE_SCHEDULER'),
  new Option('--steps <n>', 'inference steps (default: 50; emoji-sd: 25)')
    .argParser(options.integer(1, 1000))
    .env('LETHE_STEPS'),
  new Option('--guidance <x>', 'classifier-free guidance scale (default: 7.5; emoji-sd: 2.5)')
    .argParser(options.decimal)
    .env('LETHE_GUIDANCE'),
  new Option('--size <WxH,...>', "sizes that may be asked for, the usual one first (default: the checkpoint's own)")
    .argParser((text: string) => text.split(',').map(options.size))
    .default([], '')
    .env('LETHE_SIZE'),
  options.flagOption(
    'per-timestep',
    'prune at each step what was scored there, where a mask says so, instead of the same at all',
    'LETHE_PER_TIMESTEP',
  ),
];

/** A model that is served, and what has to be closed in the end. */
export interface OpenModel extends ImageModel<PreparedMask> {
  close(): Promise<void>;
}

/**
 * Opens what is served. What cannot be sampled is refused now, not when the first request comes.
 *
 * @throws LetheError of the checkpoint, or `sampling-invalid`
 */
export async function openModel(given: ModelOptions): Promise<OpenModel> {
  const checkpoint = await openCheckpoint(given.checkpoint ?? emojiSdDirectory, given.variant);
  const id = await checkpointId(checkpoint);
  const serving = await ServingModel.open(checkpoint, id, { provider: given.provider, threads: given.threads });
  try {
    const { model } = serving;
    const sampling = await samplingOf(given, checkpoint, model);
    const [height, width] = model.unetConfig.sampleSize.map((side) => side * model.imageScale) as [number, number];
    const [first = { width, height }, ...others] = given.size;
    for (const size of [first, ...others]) {
      requireMultiple(size, model.imageScale);
      model.scheduler(sampling(size));
      model.checkWeights(sampling(size));
    }
    const use: MaskUse = given.perTimestep === true ? 'per-timestep' : 'union';
    return {
      served: { name: given.model ?? basename(checkpoint.directory), checkpoint: id, sizes: [first, ...others] },
      sampling,
      largestMask: largestMask(checkpoint),
      prepare: (mask) => serving.prepare(mask, use),
      release: (prepared) => prepared.release(),
      generate: (prepared, settings, requests, batch, signal) =>
        serving.generate(prepared, settings, requests, batch, () => {
          signal.throwIfAborted();
        }),
      close: () => serving.close(),
    };
  } catch (error) {
    await serving.close();
    throw error;
  }
}

async function samplingOf(
  given: ModelOptions,
  checkpoint: Checkpoint,
  model: StableDiffusion,
): Promise<(size: ImageSize) => Sampling> {
  const suggested = await suggestedSampling(checkpoint);
  const { scheduler = model.defaultScheduler, steps = suggested.steps, guidance = suggested.guidance } = given;
  const scale = model.imageScale;
  return ({ width, height }) => ({ scheduler, steps, guidance, height: height / scale, width: width / scale });
}

function requireMultiple({ width, height }: ImageSize, scale: number): void {
  if (width % scale === 0 && height % scale === 0) return;
  throw new LetheError('sampling-invalid', {
    what: 'cannot sample this size',
    where: '--size',
    why: `${width}×${height} does not divide by ${scale}, the scale of the VAE`,
    next: `give multiples of ${scale}`,
  });
}
