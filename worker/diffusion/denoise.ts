import { LetheError } from '../../shared/error/lethe-error.ts';
import { guide } from './guidance.ts';
import { TorchGenerator } from './noise/torch-generator.ts';
import { rowsOf, type Sampling } from '../../shared/diffusion/sampling.ts';
import type { Scheduler } from '../../shared/diffusion/scheduler/scheduler.ts';
import type { Trajectory } from './trajectory.ts';

/**
 * One UNet call for a batch.
 *
 * @param samples one scaled latent a trajectory
 * @returns one prediction a trajectory, [rows, channels, height, width]
 */
export type Predict = (samples: readonly Float32Array[], timestep: number) => Promise<readonly Float32Array[]>;

/**
 * The guided denoising loop over a batch of trajectories that stand at the same step. Yields the batch after every UNet
 * call; a caller that stops listening stops the loop, and what it was last given can be continued later or elsewhere
 * with the same bits.
 *
 * @throws LetheError `trajectory-invalid` if the trajectories stand at different steps or cannot be the scheduler's;
 *   `non-finite` with the step and the place in the batch if a prediction is not finite.
 */
export async function* denoise(
  predict: Predict,
  scheduler: Scheduler,
  sampling: Sampling,
  start: readonly Trajectory[],
): AsyncGenerator<readonly Trajectory[], void, undefined> {
  const first = firstStep(start, scheduler.timesteps.length);
  const generators = scheduler.needsNoise ? start.map(({ noise }) => TorchGenerator.restore(noise)) : [];
  let batch = start;
  for (let step = first; step < scheduler.timesteps.length; step++) {
    const timestep = scheduler.timesteps[step] ?? 0;
    const samples = batch.map(({ scheduler: state, latents }) => scheduler.scaleModelInput(state, latents));
    const predictions = await predict(samples, timestep);
    batch = batch.map((trajectory, i) => {
      const guided = guide(predictions[i] ?? new Float32Array(), rowsOf(sampling), sampling.guidance);
      requireFinite(guided, step, timestep, i);
      const generator = generators[i];
      const noise = generator?.randn(guided.length);
      const next = scheduler.step(trajectory.scheduler, guided, trajectory.latents, noise);
      return { latents: next.sample, scheduler: next.state, noise: generator?.state() ?? trajectory.noise };
    });
    yield batch;
  }
}

/** The step all trajectories stand at; `calls`, the end, is one. */
function firstStep(start: readonly Trajectory[], calls: number): number {
  const steps = start.map((trajectory) => trajectory.scheduler.step);
  const [first = 0] = steps;
  const refuse = (why: string, next: string) =>
    new LetheError('trajectory-invalid', { what: 'cannot denoise the batch', where: 'step', why, next });
  if (steps.some((step) => step !== first))
    throw refuse(
      `its trajectories stand at steps ${steps.join(', ')}`,
      'batch trajectories that stand at the same step',
    );
  if (first > calls)
    throw refuse(`it stands at step ${first}, and there are ${calls} UNet calls`, 'run the trajectory from its start');
  return first;
}

function requireFinite(values: Float32Array, step: number, timestep: number, place: number): void {
  if (values.every(Number.isFinite)) return;
  throw new LetheError('non-finite', {
    what: 'the model predicted a value that is not finite',
    where: `step ${step} (timestep ${timestep}), trajectory ${place} of the batch`,
    why: 'activations overflowed, or the weights hold values that are not finite',
    next: 'check the checkpoint with `lethe checkpoint inspect`; a lower guidance can help',
  });
}
