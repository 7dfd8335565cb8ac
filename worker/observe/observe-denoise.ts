import { LetheError } from '../../shared/error/lethe-error.ts';
import { unetInputs } from '../../shared/model/family/unet/unet.ts';
import type { SiteName } from '../../shared/model/site.ts';
import { partialLength } from '../../shared/statistics/partial.ts';
import { type DenoiseUnit, unitHash } from '../../shared/unit/unit.ts';
import { denoise, type Predict } from '../diffusion/denoise.ts';
import { concatenate, rowsOfTensor } from '../diffusion/rows.ts';
import { rowsOf, type Sampling } from '../../shared/diffusion/sampling.ts';
import { type SchedulerName, schedulerNames } from '../../shared/model/scheduler-name.ts';
import type { Scheduler } from '../../shared/diffusion/scheduler/scheduler.ts';
import type { StableDiffusion } from '../diffusion/stable-diffusion.ts';
import { decodeTrajectory, encodeTrajectory } from '../diffusion/trajectory-state.ts';
import type { Trajectory } from '../diffusion/trajectory.ts';
import type { SessionCache } from '../session/session-cache.ts';
import { collectSums } from './collect-sums.ts';
import type { Observation } from './observation.ts';
import type { CallCounter, Supervision } from './phase.ts';
import { requireRunning } from './stopped.ts';
import { unetSweep } from './sweep-graph.ts';
import { tappedLayers } from './tapped-layers.ts';
import { unetContext } from './unet-context.ts';

/**
 * The statistics of a denoise unit, and the trajectories after its window. The steps before the window are run again,
 * unrecorded, where `states` is undefined.
 *
 * @param states each trajectory as `encodeTrajectory` stored it where the window begins
 */
export async function observeDenoise(
  model: StableDiffusion,
  sessions: SessionCache,
  unit: DenoiseUnit,
  sites: readonly SiteName[],
  states: readonly Uint8Array[] | undefined,
  counter: CallCounter,
  supervision: Supervision,
): Promise<Observation> {
  const sampling = samplingOf(unit);
  const scheduler = model.scheduler(sampling);
  requireWindow(unit, scheduler);
  const layers = tappedLayers(model, unit.kind, sites);
  const identities = unit.trajectories.map(({ prompt, seed }) => ({
    checkpoint: unit.checkpoint,
    prompt,
    seed,
    sampling,
  }));
  const start =
    states === undefined
      ? unit.trajectories.map(({ seed }) => model.start(BigInt(seed), sampling, scheduler))
      : restore(states, identities, unit.window.from);

  requireRunning(supervision, { kind: 'encoding' });
  const context = await unetContext(
    model,
    unit.trajectories.map(({ prompt }) => prompt),
    rowsOf(sampling),
    counter,
  );

  const { height, width } = sampling;
  const call = { height, width, tokens: model.tokenizer.maxLength, rows: rowsOf(sampling) };
  const sweep = unetSweep(model, layers, call);
  const items = unit.trajectories.length;
  const { from, to } = unit.window;
  const values = new Float32Array(partialLength(layers, to - from, items));
  const perStep = values.length / (to - from);
  const key = `${model.checkpoint.directory} unet sums ${height}x${width} ${call.rows} ${sweep.sums.join(' ')}`;

  requireRunning(supervision, { kind: 'loading' });
  const end = await sessions.use(
    key,
    () => sweep.graph,
    async (session) => {
      let step = states === undefined ? 0 : from;
      const predict: Predict = async (samples, timestep) => {
        requireRunning(supervision, { kind: 'step', step });
        counter.unetRuns += 1;
        counter.unetCalls += items;
        const outputs = await session.run({
          [unetInputs.sample]: {
            type: 'float32',
            shape: [items, model.unetConfig.inChannels, height, width],
            data: concatenate(samples),
          },
          [unetInputs.timestep]: { type: 'float32', shape: [1], data: Float32Array.of(timestep) },
          [unetInputs.context]: context,
        });
        if (step >= from) {
          const into = values.subarray((step - from) * perStep, (step - from + 1) * perStep);
          collectSums(outputs, sweep, layers, items, step, into);
        }
        step += 1;
        return rowsOfTensor(outputs.get(sweep.prediction ?? '') ?? { shape: [0], data: new Float32Array() }, items);
      };
      return lastOf(denoise(predict, scheduler, sampling, start), to);
    },
  );
  return {
    partial: { unit: unitHash(unit), layers, steps: to - from, items, values },
    timesteps: scheduler.timesteps.slice(from, to),
    states: end.map((trajectory, i) => {
      const identity = identities[i];
      return identity === undefined ? new Uint8Array() : encodeTrajectory(trajectory, identity);
    }),
  };
}

/** The batch that stands before step `to`. */
async function lastOf(batches: ReturnType<typeof denoise>, to: number): Promise<readonly Trajectory[]> {
  for await (const batch of batches) if ((batch[0]?.scheduler.step ?? to) >= to) return batch;
  return [];
}

function samplingOf({ sampling }: DenoiseUnit): Sampling {
  const scheduler = schedulerNames.find((name): name is SchedulerName => name === sampling.scheduler);
  if (scheduler === undefined)
    throw invalid('sampling.scheduler', `${sampling.scheduler} is none of ${schedulerNames.join(', ')}`);
  return { ...sampling, scheduler };
}

function requireWindow({ window, sampling, trajectories }: DenoiseUnit, scheduler: Scheduler): void {
  const calls = scheduler.timesteps.length;
  const { from, to } = window;
  if (!(Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from < to && to <= calls))
    throw invalid('window', `it is ${from} to ${to}; ${sampling.steps} inference steps make ${calls} UNet calls`);
  if (trajectories.length === 0) throw invalid('trajectories', 'there are none');
}

function restore(
  states: readonly Uint8Array[],
  identities: readonly Parameters<typeof decodeTrajectory>[1][],
  from: number,
): readonly Trajectory[] {
  if (states.length !== identities.length)
    throw invalid('states', `there are ${states.length} of them for ${identities.length} trajectories`);
  return identities.map((identity, i) => {
    const trajectory = decodeTrajectory(states[i] ?? new Uint8Array(), identity);
    if (trajectory.scheduler.step !== from)
      throw invalid('states', `one stands at step ${trajectory.scheduler.step}, and the window begins at ${from}`);
    return trajectory;
  });
}

function invalid(where: string, why: string): LetheError {
  return new LetheError('unit-invalid', {
    what: 'cannot observe the unit',
    where,
    why,
    next: 'plan the campaign again with the coordinator and workers of one release',
  });
}
