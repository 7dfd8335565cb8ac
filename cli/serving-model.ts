import { basename } from 'node:path';
import { checkpointId } from '../shared/checkpoint/checkpoint-id.ts';
import { openCheckpoint } from '../shared/checkpoint/open-checkpoint.ts';
import { LetheError } from '../shared/error/lethe-error.ts';
import { generateImages } from '../worker/diffusion/generate.ts';
import type { Sampling } from '../worker/diffusion/sampling.ts';
import type { SchedulerName } from '../worker/diffusion/scheduler/scheduler-name.ts';
import { StableDiffusion } from '../worker/diffusion/stable-diffusion.ts';
import { pruningOf, unpruned } from '../worker/prune/pruning.ts';
import type { ImageSize } from '../worker/serve/image-request.ts';
import type { ImageModel } from '../worker/serve/serving-process.ts';
import type { Provider } from '../worker/session/provider.ts';
import { SessionCache } from '../worker/session/session-cache.ts';
import type { SessionThread } from '../worker/session/session-thread.ts';
import { emojiSdDirectory, suggestedSampling } from './default-checkpoint.ts';

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
  readonly size: readonly ImageSize[];
  readonly batch: number;
}

export async function openServingModel(
  given: ModelOptions,
  thread: SessionThread,
): Promise<ImageModel<StableDiffusion>> {
  const checkpoint = await openCheckpoint(given.checkpoint ?? emojiSdDirectory, given.variant);
  const [id, suggested] = [await checkpointId(checkpoint), await suggestedSampling(checkpoint)];
  const sessions = new SessionCache(thread, { provider: given.provider, threads: given.threads }, 4);
  const model = await StableDiffusion.open(checkpoint, sessions);
  const scale = model.imageScale;
  const [height, width] = model.unetConfig.sampleSize;
  const [first = { width: width * scale, height: height * scale }, ...others] = given.size;
  const sampling = (size: ImageSize): Sampling => ({
    scheduler: given.scheduler ?? model.defaultScheduler,
    steps: given.steps ?? suggested.steps,
    guidance: given.guidance ?? suggested.guidance,
    height: size.height / scale,
    width: size.width / scale,
  });
  // What cannot be sampled is refused now, not when the first request comes.
  for (const size of [first, ...others]) {
    requireMultiple(size, scale);
    model.scheduler(sampling(size));
    model.checkWeights(sampling(size));
  }
  return {
    served: { name: given.model ?? basename(checkpoint.directory), checkpoint: id, sizes: [first, ...others] },
    sampling,
    prepare: (mask) =>
      StableDiffusion.open(checkpoint, sessions, mask === undefined ? unpruned : pruningOf(mask, checkpoint, id)),
    release: () => Promise.resolve(),
    generate: (prepared, settings, requests, batch, signal) =>
      generateImages(prepared, settings, requests, batch, () => {
        signal.throwIfAborted();
      }),
  };
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
