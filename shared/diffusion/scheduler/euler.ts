import { alphasCumprod } from './betas.ts';
import { add, at, divide, multiply, subtract } from './elementwise.ts';
import { numpyLog } from './numpy-log.ts';
import { requireFinite } from './refuse-steps.ts';
import type { EulerAncestralSettings, EulerSettings } from './scheduler-settings.ts';
import { interpolate, karrasSigmas, sigmaToTimestep, trainingSigmas } from './sigmas.ts';
import { roundHalfEven, spacedTimesteps } from './spacing.ts';
import type { Solver } from './solver.ts';

const { fround, sqrt } = Math;

/**
 * Euler's method: Karras et al., arXiv 2206.00364, algorithm 2 without churn; follows
 * diffusers/schedulers/scheduling_euler_discrete.py (0.29.2).
 */
export function euler(settings: EulerSettings, steps: number): Solver {
  const training = eulerTrainingSigmas(settings);
  let timesteps = eulerTimesteps(settings, steps);
  let levels = timesteps.map((t) => interpolate(t, training));
  if (settings.use_karras_sigmas) {
    const { sigma_max: max, sigma_min: min } = settings;
    levels = karrasSigmas(max ?? at(levels, 0), min ?? at(levels, levels.length - 1), steps);
    const logs = training.map(numpyLog);
    timesteps = levels.map((sigma) => fround(sigmaToTimestep(sigma, logs)));
  }
  const sigmas = Float32Array.from([...levels, settings.final_sigmas_type === 'zero' ? 0 : at(training, 0)]);
  requireFinite(steps, timesteps, (step) => ({ '1 / sigma': 1 / at(sigmas, step) }));

  return {
    timesteps,
    initNoiseSigma: eulerInitNoiseSigma(settings.timestep_spacing, sigmas),
    needsNoise: false,
    historyLength: () => 0,
    scaleModelInput: (step, sample) => scaleBySigma(sample, at(sigmas, step)),
    advance(step, history, { modelOutput, sample }) {
      const sigma = at(sigmas, step);
      const slope = derivative(settings.prediction_type, modelOutput, sample, sigma);
      return { history, sample: add(sample, multiply(fround(at(sigmas, step + 1) - sigma), slope)) };
    },
  };
}

/** Noise levels of training; with zero terminal SNR the last is kept finite, as diffusers does. */
export function eulerTrainingSigmas(settings: EulerAncestralSettings): Float32Array {
  const alphas = alphasCumprod(settings);
  if (settings.rescale_betas_zero_snr) alphas[alphas.length - 1] = 2 ** -24;
  return trainingSigmas(alphas);
}

/** fp32; whole numbers but for linspace. */
export function eulerTimesteps(settings: EulerAncestralSettings, steps: number): number[] {
  const { num_train_timesteps: trained, timestep_spacing: spacing, steps_offset: offset } = settings;
  return spacedTimesteps(spacing, steps, trained, offset).map(spacing === 'linspace' ? fround : roundHalfEven);
}

export function eulerInitNoiseSigma(spacing: EulerSettings['timestep_spacing'], sigmas: Float32Array): number {
  const max = sigmas.reduce((a, b) => Math.max(a, b));
  return spacing === 'leading' ? inputScale(max) : max;
}

/** Latents of standard deviation sqrt(sigma² + 1), brought to 1. */
export function scaleBySigma(sample: Float32Array, sigma: number): Float32Array {
  return divide(sample, inputScale(sigma));
}

/** Change of the latents per unit of sigma: the noise in them, from the clean image that the model output stands for. */
export function derivative(
  type: EulerSettings['prediction_type'],
  modelOutput: Float32Array,
  sample: Float32Array,
  sigma: number,
): Float32Array {
  return divide(subtract(sample, original(type, modelOutput, sample, sigma)), sigma);
}

function original(
  type: EulerSettings['prediction_type'],
  modelOutput: Float32Array,
  sample: Float32Array,
  sigma: number,
): Float32Array {
  switch (type) {
    case 'epsilon':
      return subtract(sample, multiply(sigma, modelOutput));
    case 'sample':
      return modelOutput;
    case 'v_prediction':
      return add(multiply(fround(-sigma / inputScale(sigma)), modelOutput), divide(sample, variance(sigma)));
  }
}

/** sigma² + 1 */
function variance(sigma: number): number {
  return fround(fround(sigma * sigma) + 1);
}

function inputScale(sigma: number): number {
  return fround(sqrt(variance(sigma)));
}
