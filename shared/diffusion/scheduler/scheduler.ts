import { LetheError } from '../../error/lethe-error.ts';
import { ddim } from './ddim.ts';
import { dpmpp2m } from './dpmpp-2m.ts';
import { eulerAncestral } from './euler-ancestral.ts';
import { euler } from './euler.ts';
import { pndm } from './pndm.ts';
import { refuseSteps } from './refuse-steps.ts';
import type { SchedulerConfig } from './scheduler-config.ts';
import type { SchedulerName } from '../../model/scheduler-name.ts';
import {
  ddimSettings,
  dpmSolverSettings,
  eulerAncestralSettings,
  eulerSettings,
  pndmSettings,
  settingsOf,
} from './scheduler-settings.ts';
import type { Solver } from './solver.ts';

/** What a scheduler carries from one UNet call to the next: a plain value that can be stored and continued on another machine. */
export interface SchedulerState {
  /** Index of the UNet call that comes next. */
  readonly step: number;
  /** Earlier model outputs and samples, each as long as the latents; how many, and which, is the scheduler's own affair. */
  readonly history: readonly Float32Array[];
}

/** A diffusion scheduler for one number of inference steps. It works on the latents of one trajectory and changes no argument. */
export interface Scheduler {
  readonly name: SchedulerName;
  /** One entry per UNet call, in order: PNDM has 51 for 50 inference steps, Euler can have fractions. */
  readonly timesteps: readonly number[];
  /** Initial latents = noise times this, in fp32. */
  readonly initNoiseSigma: number;
  /** Whether a step needs noise of the latents' shape, one draw per UNet call, the last one included. */
  readonly needsNoise: boolean;
  init(): SchedulerState;
  /** What the UNet is given for these latents; may be `sample` itself. */
  scaleModelInput(state: SchedulerState, sample: Float32Array): Float32Array;
  /** The latents after the UNet call that `state` stands before. Throws 'trajectory-invalid' if the arguments do not fit together. */
  step(
    state: SchedulerState,
    modelOutput: Float32Array,
    sample: Float32Array,
    noise?: Float32Array,
  ): { readonly state: SchedulerState; readonly sample: Float32Array };
}

/**
 * The scheduler of that name, with the settings the checkpoint gives: what `SchedulerClass.from_config(config)` and
 * `set_timesteps(steps)` of diffusers 0.29.2 make. Throws 'config-invalid' or 'config-unsupported' for the settings and
 * 'sampling-invalid' for the number of steps.
 */
export function createScheduler(name: SchedulerName, config: SchedulerConfig, steps: number): Scheduler {
  const solver = solverOf(name, config, steps);
  const { timesteps, initNoiseSigma, needsNoise } = solver;
  return {
    name,
    timesteps,
    initNoiseSigma,
    needsNoise,
    init: () => ({ step: 0, history: [] }),
    scaleModelInput(state, sample) {
      requireState(solver, state, sample.length);
      return solver.scaleModelInput(state.step, sample);
    },
    step(state, modelOutput, sample, noise = new Float32Array()) {
      requireState(solver, state, sample.length);
      requireLength('model output', modelOutput, sample.length);
      if (needsNoise) requireLength('noise', noise, sample.length);
      const next = solver.advance(state.step, state.history, { modelOutput, sample, noise });
      // The caller may use its buffers again: what the state keeps is its own.
      const history = next.history.map((kept) => (kept === modelOutput || kept === sample ? kept.slice() : kept));
      return { state: { step: state.step + 1, history }, sample: next.sample };
    },
  };
}

function solverOf(name: SchedulerName, config: SchedulerConfig, steps: number): Solver {
  switch (name) {
    case 'pndm':
      return solve(pndm, settingsOf(name, pndmSettings, config), steps);
    case 'ddim':
      return solve(ddim, settingsOf(name, ddimSettings, config), steps);
    case 'euler':
      return solve(euler, settingsOf(name, eulerSettings, config), steps);
    case 'euler-ancestral':
      return solve(eulerAncestral, settingsOf(name, eulerAncestralSettings, config), steps);
    case 'dpmpp-2m':
      return solve(dpmpp2m, settingsOf(name, dpmSolverSettings, config), steps);
  }
}

function solve<S extends { readonly num_train_timesteps: number }>(
  solver: (settings: S, steps: number) => Solver,
  settings: S,
  steps: number,
): Solver {
  const trained = settings.num_train_timesteps;
  if (Number.isInteger(steps) && steps >= 1 && steps <= trained) return solver(settings, steps);
  throw refuseSteps(
    steps,
    `the model was trained on ${trained} timesteps`,
    `take a whole number of steps from 1 to ${trained}`,
  );
}

function requireState(solver: Solver, { step, history }: SchedulerState, length: number): void {
  const calls = solver.timesteps.length;
  if (!Number.isInteger(step) || step < 0 || step >= calls) {
    throw cannotContinue('state.step', `it is ${step}, and the trajectory has UNet calls 0 to ${calls - 1}`);
  }
  const expected = solver.historyLength(step);
  if (history.length !== expected) {
    throw cannotContinue('state.history', `step ${step} needs ${expected} arrays, and there are ${history.length}`);
  }
  history.forEach((array, i) => {
    requireLength(`state.history[${i}]`, array, length);
  });
}

function requireLength(what: string, array: Float32Array, length: number): void {
  if (array instanceof Float32Array && array.length === length) return;
  throw cannotContinue(what, `expected a Float32Array of ${length} numbers, as the latents have; got ${array.length}`);
}

function cannotContinue(where: string, why: string): LetheError {
  return new LetheError('trajectory-invalid', {
    what: 'cannot continue the trajectory',
    where,
    why,
    next: 'continue with the state, the scheduler settings and the latents that the trajectory was stopped with, or start it again',
  });
}
