import { alphasCumprod } from './betas.ts';
import { add, at, divide, multiply, subtract } from './elementwise.ts';
import { numpyLog } from './numpy-log.ts';
import { requireFinite } from './refuse-steps.ts';
import type { DpmSolverSettings } from './scheduler-settings.ts';
import { interpolate, karrasSigmas, sigmaToTimestep, trainingSigmas } from './sigmas.ts';
import { roundHalfEven, spacedTimesteps } from './spacing.ts';
import type { Solver, UNetCall } from './solver.ts';

const { exp, fround, log, sqrt } = Math;

/**
 * DPM-Solver++ of first and second order, multistep: Lu et al., arXiv 2211.01095, algorithm 2; follows
 * diffusers/schedulers/scheduling_dpmsolver_multistep.py (0.29.2). History: the clean image that the call before predicted.
 */
export function dpmpp2m(settings: DpmSolverSettings, steps: number): Solver {
  const alphas = alphasCumprod(settings);
  if (settings.rescale_betas_zero_snr) alphas[alphas.length - 1] = 2 ** -24;
  const training = trainingSigmas(alphas);
  let timesteps = spaced(settings, steps, alphas);
  let levels = timesteps.map((t) => interpolate(t, training));
  if (settings.use_karras_sigmas) {
    const { sigma_max: max, sigma_min: min } = settings;
    levels = karrasSigmas(max ?? at(training, training.length - 1), min ?? at(training, 0), steps);
    const logs = training.map(numpyLog);
    timesteps = levels.map((sigma) => roundHalfEven(sigmaToTimestep(sigma, logs)));
  }
  const sigmas = Float32Array.from([...levels, settings.final_sigmas_type === 'zero' ? 0 : at(training, 0)]);

  const last = timesteps.length - 1;
  const lowOrderLast =
    settings.euler_at_final ||
    settings.final_sigmas_type === 'zero' ||
    (settings.lower_order_final && timesteps.length < 15);
  const moveOf = (step: number) => {
    const first = settings.solver_order === 1 || step === 0 || (step === last && lowOrderLast);
    return move(sigmas, step, first ? 'euler' : settings.solver_type);
  };
  requireFinite(steps, timesteps, (step) => ({ ...moveOf(step) }));

  return {
    timesteps,
    initNoiseSigma: 1,
    needsNoise: false,
    historyLength: (step) => Math.min(step, settings.solver_order - 1),
    scaleModelInput: (_, sample) => sample,
    advance(step, history, call) {
      const by = moveOf(step);
      const original = predictOriginal(settings.prediction_type, by, call);
      const firstOrder = subtract(multiply(by.stretch, call.sample), multiply(by.weight, original));
      const before = history[0];
      return {
        history: settings.solver_order === 1 ? [] : [original],
        sample:
          before === undefined || by.slopeWeight === 0
            ? firstOrder
            : add(firstOrder, multiply(by.slopeWeight, multiply(by.perStep, subtract(original, before)))),
      };
    },
  };
}

/** Timesteps without the one that follows the last step, whole numbers. */
function spaced(settings: DpmSolverSettings, steps: number, alphas: Float32Array): number[] {
  const { num_train_timesteps: trained, timestep_spacing: spacing, steps_offset: offset } = settings;
  const clipped = alphas.findLastIndex((alpha) => logSignalToNoise(alpha) >= fround(settings.lambda_min_clipped)) + 1;
  if (spacing === 'trailing') return spacedTimesteps(spacing, steps, trained, offset, clipped);
  return spacedTimesteps(spacing, steps + 1, trained, offset, clipped)
    .map(roundHalfEven)
    .slice(0, -1);
}

function logSignalToNoise(alpha: number): number {
  return fround(fround(log(fround(sqrt(alpha)))) - fround(log(fround(sqrt(fround(1 - alpha))))));
}

/** The scalars of one step, fp32. */
interface Move {
  /** Scale of the clean image and of the noise in the latents before the step. */
  readonly signal: number;
  readonly noise: number;
  /** Factor of the latents, and of the clean image with its sign turned. */
  readonly stretch: number;
  readonly weight: number;
  /** Factor of the clean image's slope, zero in first order, and what makes a slope of its change since the call before. */
  readonly slopeWeight: number;
  readonly perStep: number;
}

function move(sigmas: Float32Array, step: number, type: 'euler' | DpmSolverSettings['solver_type']): Move {
  const [before, from, to] = [level(at(sigmas, step - 1)), level(at(sigmas, step)), level(at(sigmas, step + 1))];
  const h = fround(to.lambda - from.lambda);
  const change = fround(fround(exp(-h)) - 1);
  const weight = fround(to.signal * change);
  const firstOrder = {
    signal: from.signal,
    noise: from.noise,
    stretch: fround(to.noise / from.noise),
    weight,
    slopeWeight: 0,
    perStep: 0,
  };
  if (type === 'euler') return firstOrder;
  return {
    ...firstOrder,
    slopeWeight: type === 'midpoint' ? fround(-0.5 * weight) : fround(to.signal * fround(fround(change / h) + 1)),
    perStep: fround(1 / fround(fround(from.lambda - before.lambda) / h)),
  };
}

interface Level {
  readonly signal: number;
  readonly noise: number;
  readonly lambda: number;
}

function level(sigma: number): Level {
  const signal = fround(1 / fround(sqrt(fround(fround(sigma * sigma) + 1))));
  const noise = fround(sigma * signal);
  return { signal, noise, lambda: fround(fround(log(signal)) - fround(log(noise))) };
}

function predictOriginal(
  type: DpmSolverSettings['prediction_type'],
  by: Move,
  { modelOutput, sample }: UNetCall,
): Float32Array {
  switch (type) {
    case 'epsilon':
      return divide(subtract(sample, multiply(by.noise, modelOutput)), by.signal);
    case 'sample':
      return modelOutput;
    case 'v_prediction':
      return subtract(multiply(by.signal, sample), multiply(by.noise, modelOutput));
  }
}
