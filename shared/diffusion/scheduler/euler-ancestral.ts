import { add, at, multiply } from './elementwise.ts';
import { derivative, eulerInitNoiseSigma, eulerTimesteps, eulerTrainingSigmas, scaleBySigma } from './euler.ts';
import { requireFinite } from './refuse-steps.ts';
import type { EulerAncestralSettings } from './scheduler-settings.ts';
import { interpolate } from './sigmas.ts';
import type { Solver } from './solver.ts';

const { fround, sqrt } = Math;

/**
 * Euler steps that go below the next noise level and add fresh noise up to it, after k-diffusion's sample_euler_ancestral;
 * follows diffusers/schedulers/scheduling_euler_ancestral_discrete.py (0.29.2).
 */
export function eulerAncestral(settings: EulerAncestralSettings, steps: number): Solver {
  const training = eulerTrainingSigmas(settings);
  const timesteps = eulerTimesteps(settings, steps);
  const sigmas = Float32Array.from([...timesteps.map((t) => interpolate(t, training)), 0]);
  const moveOf = (step: number) => move(at(sigmas, step), at(sigmas, step + 1));
  requireFinite(steps, timesteps, (step) => {
    const { sigma, down, up } = moveOf(step);
    return { '1 / sigma': 1 / sigma, down, up };
  });

  return {
    timesteps,
    initNoiseSigma: eulerInitNoiseSigma(settings.timestep_spacing, sigmas),
    needsNoise: true,
    historyLength: () => 0,
    scaleModelInput: (step, sample) => scaleBySigma(sample, at(sigmas, step)),
    advance(step, history, { modelOutput, sample, noise }) {
      const { sigma, down, up } = moveOf(step);
      const slope = derivative(settings.prediction_type, modelOutput, sample, sigma);
      const lowered = add(sample, multiply(fround(down - sigma), slope));
      return { history, sample: add(lowered, multiply(up, noise)) };
    },
  };
}

/** Noise levels of one step, fp32: where it starts, where it goes down to, and what the fresh noise adds. */
interface Move {
  readonly sigma: number;
  readonly down: number;
  readonly up: number;
}

function move(sigma: number, next: number): Move {
  const [from, to] = [fround(sigma * sigma), fround(next * next)];
  const up = fround(sqrt(fround(fround(to * fround(from - to)) / from)));
  return { sigma, down: fround(sqrt(fround(to - fround(up * up)))), up };
}
