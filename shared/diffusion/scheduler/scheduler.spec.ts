import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alphasCumprod } from './betas.ts';
import { parseSchedulerConfig } from './scheduler-config.ts';
import { schedulerClasses, schedulerNames, type SchedulerName } from '../../model/scheduler-name.ts';
import { createScheduler, type Scheduler, type SchedulerState } from './scheduler.ts';

type Settings = Readonly<Record<string, unknown>>;

const { fround, sqrt } = Math;
const vector = (value: (i: number) => number) => Float32Array.from({ length: 16 }, (_, i) => value(i));

/** The model and the noises of make-goldens.py. */
const initialNoise = vector((i) => (((3 * i) % 17) - 8) / 4);
const noiseOf = (step: number) => vector((i) => (((5 * i + 9 * step) % 13) - 6) / 4);
function model(input: Float32Array, step: number): Float32Array {
  return input.map((x, i) => fround(x + (((7 * i + 3 * step) % 11) - 5) / 8) / fround(1 + fround(x * x)));
}

interface Point {
  readonly state: SchedulerState;
  readonly sample: Float32Array;
}

function start(scheduler: Scheduler): Point {
  return { state: scheduler.init(), sample: initialNoise.map((noise) => noise * scheduler.initNoiseSigma) };
}

function advance(scheduler: Scheduler, { state, sample }: Point, predict = model): Point {
  const output = predict(scheduler.scaleModelInput(state, sample), state.step);
  return scheduler.step(state, output, sample, noiseOf(state.step));
}

/** The point before each UNet call, and the one after the last. */
function trajectory(scheduler: Scheduler, from = start(scheduler), predict = model): readonly Point[] {
  const points = [from];
  while (points.at(-1)!.state.step < scheduler.timesteps.length) {
    points.push(advance(scheduler, points.at(-1)!, predict));
  }
  return points;
}

function make(name: SchedulerName, settings: Settings, steps: number): Scheduler {
  const json = { _class_name: schedulerClasses[name], ...settings };
  return createScheduler(name, parseSchedulerConfig(json, 'scheduler_config.json'), steps);
}

const stored = (state: SchedulerState) =>
  JSON.stringify({ step: state.step, history: state.history.map((array) => Array.from(array)) });
function restored(text: string): SchedulerState {
  const { step, history } = JSON.parse(text) as { step: number; history: number[][] };
  return { step, history: history.map((array) => Float32Array.from(array)) };
}

const stableDiffusion = { beta_start: 0.00085, beta_end: 0.012, beta_schedule: 'scaled_linear' };
interface Case {
  readonly title: string;
  readonly name: SchedulerName;
  readonly settings: Settings;
  /** UNet calls for so many inference steps, 4 or more. */
  readonly calls: (steps: number) => number;
  /**
   * Prediction types with which a perfect model leads to the clean image. PNDM combines outputs of several timesteps
   * before it turns a velocity into noise, as in diffusers, so for it this holds of noise only.
   */
  readonly exact: readonly ('epsilon' | 'v_prediction' | 'sample')[];
}

const all = ['epsilon', 'v_prediction', 'sample'] as const;
const same = (steps: number) => steps;
const skip = { skip_prk_steps: true };
const ancestral = ['epsilon', 'v_prediction'] as const;
const cases: readonly Case[] = [
  { title: 'PNDM', name: 'pndm', settings: skip, calls: (steps) => steps + 1, exact: ['epsilon'] },
  { title: 'PNDM, Runge-Kutta first', name: 'pndm', settings: {}, calls: (steps) => steps + 9, exact: ['epsilon'] },
  { title: 'DDIM', name: 'ddim', settings: { clip_sample: false }, calls: same, exact: all },
  { title: 'Euler', name: 'euler', settings: {}, calls: same, exact: all },
  { title: 'Euler, Karras', name: 'euler', settings: { use_karras_sigmas: true }, calls: same, exact: all },
  { title: 'Euler ancestral', name: 'euler-ancestral', settings: {}, calls: same, exact: ancestral },
  { title: 'DPM-Solver++ 2M', name: 'dpmpp-2m', settings: {}, calls: same, exact: all },
  { title: 'DPM-Solver++ Heun', name: 'dpmpp-2m', settings: { solver_type: 'heun' }, calls: same, exact: all },
  { title: 'DPM-Solver++ 1', name: 'dpmpp-2m', settings: { solver_order: 1 }, calls: same, exact: all },
];

describe.each(cases)('$title', ({ name, settings, calls, exact }) => {
  const scheduler = make(name, { ...stableDiffusion, ...settings }, 8);

  it('makes the same number of UNet calls whatever the spacing', () => {
    for (const timestep_spacing of ['leading', 'linspace', 'trailing']) {
      for (const steps of [4, 7, 50]) {
        expect(make(name, { ...settings, timestep_spacing }, steps).timesteps).toHaveLength(calls(steps));
      }
    }
  });

  it('changes no argument', () => {
    for (const { state, sample } of trajectory(scheduler).slice(0, -1)) {
      const output = model(sample, state.step);
      const before = [stored(state), ...[output, sample].map((array) => array.join())];
      scheduler.step(state, output, scheduler.scaleModelInput(state, sample), noiseOf(state.step));
      scheduler.step(state, output, sample, noiseOf(state.step));
      expect([stored(state), ...[output, sample].map((array) => array.join())]).toEqual(before);
    }
  });

  it('keeps nothing of its caller: buffers may be used again', () => {
    let point = start(scheduler);
    const expected = trajectory(scheduler).at(-1)!.sample;
    scheduler.timesteps.forEach(() => {
      const output = model(scheduler.scaleModelInput(point.state, point.sample), point.state.step);
      const next = scheduler.step(point.state, output, point.sample, noiseOf(point.state.step));
      output.fill(NaN);
      point.sample.fill(NaN);
      point = next;
    });
    expect(point.sample).toEqual(expected);
  });

  it('goes on from a stored state, after any call, to the same bits', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 60 }), fc.nat(), (steps, seed) => {
        const here = make(name, { ...stableDiffusion, ...settings }, steps);
        const whole = trajectory(here);
        const { state, sample } = whole[seed % whole.length]!;
        const there = make(name, { ...stableDiffusion, ...settings }, steps);
        const rest = trajectory(there, { state: restored(stored(state)), sample });
        expect(rest.at(-1)).toEqual(whole.at(-1));
      }),
      { numRuns: 20 },
    );
  });

  it.each(exact)('arrives at the clean image that a perfect model predicts as %s', (prediction_type) => {
    const clear = { set_alpha_to_one: true, timestep_spacing: 'leading', steps_offset: 1, prediction_type };
    const one = make(name, { ...stableDiffusion, ...settings, ...clear }, 10);
    const alphas = alphasCumprod({
      num_train_timesteps: 1000,
      beta_start: 0.00085,
      beta_end: 0.012,
      beta_schedule: 'scaled_linear',
      trained_betas: null,
    });
    const clean = vector((i) => Math.cos(i));
    // Karras timesteps lie between those of training: between their logarithms of noise over signal.
    const alphaAt = (t: number) => {
      const [low, high] = [Math.floor(t), Math.ceil(t)].map((i) => Math.log(1 / alphas[i]! - 1)) as [number, number];
      return 1 / (1 + Math.exp(low + (high - low) * (t - Math.floor(t))));
    };
    const perfect = (input: Float32Array, step: number) => {
      const alpha = alphaAt(one.timesteps[step]!);
      const noise = input.map((x, i) => (x - sqrt(alpha) * clean[i]!) / sqrt(1 - alpha));
      if (prediction_type === 'sample') return clean;
      if (prediction_type === 'epsilon') return noise;
      return noise.map((e, i) => sqrt(alpha) * e - sqrt(1 - alpha) * clean[i]!);
    };
    const alpha = alphaAt(one.timesteps[0]!);
    const noisy = clean.map((x, i) => (sqrt(alpha) * x + sqrt(1 - alpha) * initialNoise[i]!) * one.initNoiseSigma);
    const end = trajectory(one, { state: one.init(), sample: noisy }, perfect).at(-1)!.sample;
    end.forEach((x, i) => {
      expect(x).toBeCloseTo(clean[i]!, 3);
    });
  });

  it('refuses what does not fit together', () => {
    const last = trajectory(scheduler).at(-1)!;
    const { state, sample } = trajectory(scheduler)[1]!;
    const refused = (bad: SchedulerState, output = sample, latents = sample, noise?: Float32Array) => {
      expect(() => scheduler.step(bad, output, latents, noise ?? sample)).toThrow(
        expect.objectContaining({ code: 'trajectory-invalid' }),
      );
    };
    refused(last.state);
    for (const step of [-1, 0.5, NaN, Infinity]) refused({ ...state, step });
    refused({ ...state, history: [...state.history, sample] });
    if (state.history.length > 0) refused({ ...state, history: state.history.slice(1) });
    refused({ step: state.step, history: state.history.map((array) => array.slice(1)) }, sample, sample.slice(1));
    refused(state, sample.slice(1));
    if (scheduler.needsNoise) refused(state, sample, sample, sample.slice(1));
    expect(() => scheduler.scaleModelInput(last.state, sample)).toThrow(
      expect.objectContaining({ code: 'trajectory-invalid' }),
    );
  });

  it.each([0, -1, 2.5, NaN, 1001])('refuses %s inference steps', (steps) => {
    expect(() => make(name, settings, steps)).toThrow(expect.objectContaining({ code: 'sampling-invalid' }));
  });
});

/** Steps at which diffusers 0.29.2 raises, wraps around to the other end of the schedule, or returns NaN. */
it.each<readonly [SchedulerName, Settings, number]>([
  ['pndm', {}, 3],
  ['pndm', { skip_prk_steps: true, steps_offset: 1 }, 1000],
  ['ddim', { steps_offset: 1 }, 1000],
  ['ddim', { timestep_spacing: 'trailing' }, 61],
  ['ddim', { timestep_spacing: 'trailing', rescale_betas_zero_snr: true, clip_sample: false }, 20],
  ['euler', { beta_start: 0 }, 1],
  ['dpmpp-2m', { timestep_spacing: 'leading' }, 1000],
])('refuses %s with %j at %d steps', (name, settings, steps) => {
  expect(() => make(name, settings, steps)).toThrow(expect.objectContaining({ code: 'sampling-invalid' }));
});

/** How goldens.json is laid out; make-goldens.py says what is in it. */
interface Golden {
  readonly class: string;
  readonly config: Settings;
  readonly steps: number;
  readonly bits: string;
  readonly timesteps: readonly number[];
  readonly initNoiseSigma: number;
  readonly samples: Readonly<Record<string, readonly number[]>>;
}
const goldens = JSON.parse(readFileSync('shared/diffusion/scheduler/goldens.json', 'utf8')) as {
  readonly trajectories: readonly Golden[];
};

/** Greatest difference over greatest magnitude; the difference itself where all is zero. */
function difference(got: Float32Array, expected: readonly number[]): number {
  const worst = Math.max(...expected.map((value, i) => Math.abs(value - got[i]!)));
  return worst / (Math.max(...expected.map(Math.abs)) || 1);
}

describe.each(goldens.trajectories)('diffusers $class $config, $steps steps', (golden) => {
  const name = schedulerNames.find((one) => schedulerClasses[one] === golden.class)!;
  const scheduler = make(name, golden.config, golden.steps);

  it('gives its timesteps and latents', () => {
    expect(scheduler.timesteps).toHaveLength(golden.timesteps.length);
    expect(difference(Float32Array.from(scheduler.timesteps), golden.timesteps)).toBeLessThan(1e-6);
    expect(difference(Float32Array.of(scheduler.initNoiseSigma), [golden.initNoiseSigma])).toBeLessThan(1e-6);
    const points = trajectory(scheduler);
    for (const [step, sample] of Object.entries(golden.samples)) {
      // 1.6e-6 after 500 calls of DPM-Solver++ at most, where torch's logarithms are not the nearest.
      expect(difference(points[Number(step) + 1]!.sample, sample)).toBeLessThan(3e-6);
    }
  });

  it('gives its bits where square roots, logarithms and exponentials are rounded correctly', () => {
    const hash = createHash('sha256');
    for (const { sample } of trajectory(scheduler).slice(1)) hash.update(new Uint8Array(sample.buffer));
    expect(hash.digest('hex').slice(0, 16)).toBe(golden.bits);
  });
});
