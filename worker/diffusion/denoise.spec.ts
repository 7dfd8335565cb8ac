import { describe, expect, it } from 'vitest';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { denoise, type Predict } from './denoise.ts';
import type { Sampling } from '../../shared/diffusion/sampling.ts';
import { schedulerClasses, type SchedulerName, schedulerNames } from '../../shared/model/scheduler-name.ts';
import { createScheduler, type Scheduler } from '../../shared/diffusion/scheduler/scheduler.ts';
import { parseSchedulerConfig } from '../../shared/diffusion/scheduler/scheduler-config.ts';
import { startTrajectory, type Trajectory } from './trajectory.ts';

const count = 64;
const sampling = (scheduler: SchedulerName): Sampling => ({ scheduler, steps: 6, guidance: 3, height: 4, width: 4 });
const schedulerOf = (name: SchedulerName): Scheduler => {
  const config = { beta_start: 0.00085, beta_end: 0.012, beta_schedule: 'scaled_linear', skip_prk_steps: true };
  return createScheduler(name, parseSchedulerConfig(config, 'spec', schedulerClasses[name]), 6);
};
const startsOf = (scheduler: Scheduler, seeds: readonly number[]) =>
  seeds.map((seed) => startTrajectory(seed, count, scheduler));

/** A model that shrinks its input, differently in both halves and at every timestep. */
const shrink: Predict = (samples, timestep) =>
  Promise.resolve(
    samples.map((sample) =>
      Float32Array.from([0.2, 0.3].flatMap((by) => [...sample.map((x) => x * by + timestep / 1e4)])),
    ),
  );

async function collect(steps: AsyncIterable<readonly Trajectory[]>): Promise<(readonly Trajectory[])[]> {
  const all: (readonly Trajectory[])[] = [];
  for await (const batch of steps) all.push(batch);
  return all;
}

async function failureOf(steps: AsyncIterable<readonly Trajectory[]>): Promise<LetheError> {
  try {
    await collect(steps);
  } catch (error) {
    expect(error).toBeInstanceOf(LetheError);
    return error as LetheError;
  }
  throw new Error('nothing was refused');
}

describe.each(schedulerNames)('denoising with %s', (name) => {
  const scheduler = schedulerOf(name);

  it('yields after every call, and changes nothing that it yielded or was given', async () => {
    const start = startsOf(scheduler, [1, 2]);
    const before = structuredClone(start);
    const seen: unknown[] = [];
    const yielded: (readonly Trajectory[])[] = [];
    for await (const batch of denoise(shrink, scheduler, sampling(name), start)) {
      yielded.push(batch);
      seen.push(structuredClone(batch));
    }
    expect(start).toEqual(before);
    expect(yielded).toEqual(seen);
    expect(yielded.map((batch) => batch[0]?.scheduler.step)).toEqual(scheduler.timesteps.map((_, i) => i + 1));
  });

  it('goes on from any step with the same bits, one by one too', async () => {
    const start = startsOf(scheduler, [1, 2, 3]);
    const whole = await collect(denoise(shrink, scheduler, sampling(name), start));
    for (const [step, batch] of whole.entries()) {
      expect(await collect(denoise(shrink, scheduler, sampling(name), batch))).toEqual(whole.slice(step + 1));
      for (const [i, one] of batch.entries())
        expect((await collect(denoise(shrink, scheduler, sampling(name), [one]))).map(([next]) => next)).toEqual(
          whole.slice(step + 1).map((next) => next[i]),
        );
    }
  });

  it('refuses a history that is not the scheduler’s', async () => {
    const [first] = startsOf(scheduler, [1]);
    const history = [0, 1, 2, 3, 4].map(() => new Float32Array(count));
    const wrong = { ...first!, scheduler: { step: 1, history } };
    const error = await failureOf(denoise(shrink, scheduler, sampling(name), [wrong]));
    expect(error).toMatchObject({ code: 'trajectory-invalid', where: 'state.history' });
  });

  it('refuses a step that is past its end; at its end there is nothing to do', async () => {
    const calls = scheduler.timesteps.length;
    const [first] = startsOf(scheduler, [1]);
    const at = (step: number) => [{ ...first!, scheduler: { step, history: [] } }];
    expect(await collect(denoise(shrink, scheduler, sampling(name), at(calls)))).toEqual([]);
    const error = await failureOf(denoise(shrink, scheduler, sampling(name), at(calls + 1)));
    expect(error).toMatchObject({ code: 'trajectory-invalid', where: 'step' });
  });
});

describe('denoising', () => {
  const scheduler = schedulerOf('euler');

  it('asks for the scaled samples at every timestep in turn', async () => {
    const asked: number[] = [];
    const spy: Predict = (samples, timestep) => {
      asked.push(timestep);
      return shrink(samples, timestep);
    };
    await collect(denoise(spy, scheduler, sampling('euler'), startsOf(scheduler, [1])));
    expect(asked).toEqual(scheduler.timesteps);
  });

  it('stops where its listener stops', async () => {
    let calls = 0;
    const spy: Predict = (samples, timestep) => {
      calls += 1;
      return shrink(samples, timestep);
    };
    for await (const batch of denoise(spy, scheduler, sampling('euler'), startsOf(scheduler, [1])))
      if (batch[0]?.scheduler.step === 2) break;
    expect(calls).toBe(2);
  });

  it('refuses trajectories that stand at different steps', async () => {
    const start = startsOf(scheduler, [1, 2]);
    const [later] = await collect(denoise(shrink, scheduler, sampling('euler'), start));
    const error = await failureOf(denoise(shrink, scheduler, sampling('euler'), [start[0]!, later![1]!]));
    expect(error).toMatchObject({ code: 'trajectory-invalid', why: 'its trajectories stand at steps 0, 1' });
  });

  it.each([NaN, Infinity, -Infinity])('names step, timestep and place of a prediction of %d', async (value) => {
    const broken: Predict = async (samples, timestep) => {
      const predictions = await shrink(samples, timestep);
      if (timestep === scheduler.timesteps[2]) predictions[1]![count - 1] = value;
      return predictions;
    };
    const error = await failureOf(denoise(broken, scheduler, sampling('euler'), startsOf(scheduler, [1, 2])));
    expect(error).toMatchObject({ code: 'non-finite', isInput: false });
    expect(error.where).toBe(`step 2 (timestep ${scheduler.timesteps[2]!}), trajectory 1 of the batch`);
  });

  it('does nothing with an empty batch’s numbers', async () => {
    expect(await collect(denoise(shrink, scheduler, sampling('euler'), []))).toEqual(scheduler.timesteps.map(() => []));
  });
});
