import { LetheError } from '../../shared/error/lethe-error.ts';
import { guide } from './guidance.ts';
import { TorchGenerator } from './noise/torch-generator.ts';
import { rowsOf, type Sampling } from './sampling.ts';
import type { Scheduler } from './scheduler/scheduler.ts';
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
 * @throws LetheError `trajectory-invalid` if the trajectories stand at different steps; `non-finite` with the step and
 *   the place in the batch if a prediction is not finite.
 */
export async function* denoise(
  predict: Predict,
  scheduler: Scheduler,
  sampling: Sampling,
  start: readonly Trajectory[],
): AsyncGenerator<readonly Trajectory[], void, undefined> {
  const first = start[0]?.scheduler.step ?? 0;
  if (start.some((trajectory) => trajectory.scheduler.step !== first)) {
    throw new LetheError('trajectory-invalid', {
      what: 'cannot denoise the batch',
      why: `its trajectories stand at steps ${start.map((trajectory) => trajectory.scheduler.step).join(', ')}`,
      next: 'batch trajectories that stand at the same step',
    });
  }

  const generators = start.map((trajectory) => TorchGenerator.restore(trajectory.noise));
  let batch = start;
  for (let step = first; step < scheduler.timesteps.length; step++) {
    const timestep = scheduler.timesteps[step] ?? 0;
    const samples = batch.map(({ scheduler: state, latents }) => scheduler.scaleModelInput(state, latents));
    const predictions = await predict(samples, timestep);
    batch = batch.map((trajectory, i) => {
      const guided = guide(predictions[i] ?? new Float32Array(), rowsOf(sampling), sampling.guidance);
      requireFinite(guided, step, timestep, i);
      const generator = generators[i];
      const noise = scheduler.needsNoise ? generator?.randn(guided.length) : undefined;
      const next = scheduler.step(trajectory.scheduler, guided, trajectory.latents, noise);
      return { latents: next.sample, scheduler: next.state, noise: generator?.state() ?? trajectory.noise };
    });
    yield batch;
  }
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
