import { add, at, clamp, divide, multiply, subtract } from './elementwise.ts';
import { alphasCumprod } from './betas.ts';
import { requireFinite, requireTrained } from './refuse-steps.ts';
import type { DdimSettings } from './scheduler-settings.ts';
import { roundHalfEven, spacedTimesteps } from './spacing.ts';
import type { Solver } from './solver.ts';

const { fround, sqrt } = Math;

/**
 * DDIM without added noise (eta 0): Song et al., "Denoising Diffusion Implicit Models", arXiv 2010.02502, equations 12
 * and 16; follows diffusers/schedulers/scheduling_ddim.py (0.29.2).
 */
export function ddim(settings: DdimSettings, steps: number): Solver {
  const { num_train_timesteps: trained, timestep_spacing: spacing, steps_offset: offset } = settings;
  const timesteps = spacedTimesteps(spacing, steps, trained, offset).map(roundHalfEven);
  requireTrained(steps, timesteps, trained);

  const alphas = alphasCumprod(settings);
  const final = settings.set_alpha_to_one ? 1 : at(alphas, 0);
  const gap = Math.floor(trained / steps);
  const moveOf = (step: number) => {
    const to = at(timesteps, step) - gap;
    return move(at(alphas, to + gap), to >= 0 ? at(alphas, to) : final);
  };
  const limit = settings.clip_sample ? fround(settings.clip_sample_range) : undefined;
  requireFinite(steps, timesteps, (step) => ratios[settings.prediction_type](moveOf(step), limit));

  return {
    timesteps,
    initNoiseSigma: 1,
    needsNoise: false,
    historyLength: () => 0,
    scaleModelInput: (_, sample) => sample,
    advance(step, history, { modelOutput, sample }) {
      const by = moveOf(step);
      const [original, noise] = predict(settings.prediction_type, by, modelOutput, sample);
      const clipped = limit === undefined ? original : clamp(original, limit);
      return { history, sample: add(multiply(by.signalAfter, clipped), multiply(by.noiseAfter, noise)) };
    },
  };
}

/** Scale of the clean image and of the noise in the latents, before and after a step; fp32. */
interface Move {
  readonly signal: number;
  readonly noise: number;
  readonly signalAfter: number;
  readonly noiseAfter: number;
  /** Sigma squared of equation 16 for eta 1. With eta 0 it does not count, unless it is not a number. */
  readonly variance: number;
}

function move(alpha: number, after: number): Move {
  const [beta, betaAfter] = [fround(1 - alpha), fround(1 - after)];
  return {
    signal: fround(sqrt(alpha)),
    noise: fround(sqrt(beta)),
    signalAfter: fround(sqrt(after)),
    noiseAfter: fround(sqrt(betaAfter)),
    variance: fround(fround(betaAfter / beta) * fround(1 - fround(alpha / after))),
  };
}

/** What has to be finite for `predict` to be. Clipping makes do with an infinite prediction of the clean image. */
const ratios = {
  epsilon: ({ variance, noise, signal }: Move, limit?: number) => ({
    variance,
    'noise to signal ratio': limit === undefined ? noise / signal : 0,
  }),
  sample: ({ variance, noise, signal }: Move) => ({ variance, 'signal to noise ratio': signal / noise }),
  v_prediction: ({ variance }: Move) => ({ variance }),
} as const;

/** The clean image and the noise that a model output stands for. */
function predict(
  type: DdimSettings['prediction_type'],
  by: Move,
  modelOutput: Float32Array,
  sample: Float32Array,
): readonly [Float32Array, Float32Array] {
  switch (type) {
    case 'epsilon':
      return [divide(subtract(sample, multiply(by.noise, modelOutput)), by.signal), modelOutput];
    case 'sample':
      return [modelOutput, divide(subtract(sample, multiply(by.signal, modelOutput)), by.noise)];
    case 'v_prediction':
      return [
        subtract(multiply(by.signal, sample), multiply(by.noise, modelOutput)),
        add(multiply(by.signal, modelOutput), multiply(by.noise, sample)),
      ];
  }
}
