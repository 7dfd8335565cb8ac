import { LetheError } from '../../shared/error/lethe-error.ts';
import type { GeneratorState } from './noise/generator-state.ts';
import { TorchGenerator } from './noise/torch-generator.ts';
import type { Scheduler, SchedulerState } from '../../shared/diffusion/scheduler/scheduler.ts';

/**
 * One prompt sampled from one seed, between two UNet calls. A plain value: with the prompt and the sampling settings it
 * says all that the next call needs, on whatever machine that is made.
 */
export interface Trajectory {
  /** [channels, height, width] of the latents, row-major. */
  readonly latents: Float32Array;
  readonly scheduler: SchedulerState;
  readonly noise: GeneratorState;
}

/** A trajectory before its first UNet call: noise from its own generator, as a pipeline draws it for one prompt. */
export function startTrajectory(seed: bigint | number, count: number, scheduler: Scheduler): Trajectory {
  const generator = new TorchGenerator(seed);
  const sigma = Math.fround(scheduler.initNoiseSigma);
  const latents = generator.randn(count).map((value) => value * sigma);
  return { latents, scheduler: scheduler.init(), noise: generator.state() };
}

/** @throws LetheError `trajectory-invalid` unless the latents have the size that is sampled. */
export function requireLatents(latents: Float32Array, channels: number, height: number, width: number): void {
  const expected = channels * height * width;
  if (latents.length === expected) return;
  throw new LetheError('trajectory-invalid', {
    what: 'cannot denoise the batch',
    where: 'latents',
    why: `there are ${latents.length} of them; ${channels}×${height}×${width} are ${expected}`,
    next: 'continue a trajectory with the checkpoint and the size that it was started with',
  });
}
