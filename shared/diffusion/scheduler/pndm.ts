import { alphasCumprod } from './betas.ts';
import { add, at, divide, multiply, subtract } from './elementwise.ts';
import { refuseSteps, requireFinite, requireTrained } from './refuse-steps.ts';
import type { PndmSettings } from './scheduler-settings.ts';
import { roundHalfEven, spacedTimesteps } from './spacing.ts';
import type { Advance, Solver, UNetCall } from './solver.ts';

const { fround, sqrt } = Math;

/**
 * PNDM: Liu et al., "Pseudo Numerical Methods for Diffusion Models on Manifolds", arXiv 2202.09778, formulas 9, 12 and
 * 13; follows diffusers/schedulers/scheduling_pndm.py (0.29.2). Three Runge-Kutta steps of four UNet calls each come
 * first; with `skip_prk_steps` (Stable Diffusion) the first step is made twice instead: 51 calls for 50 steps.
 */
export function pndm(settings: PndmSettings, steps: number): Solver {
  const { num_train_timesteps: trained, timestep_spacing: spacing, steps_offset: offset } = settings;
  if (!settings.skip_prk_steps && steps < 4) {
    throw refuseSteps(steps, 'the Runge-Kutta steps that PNDM starts with need 4', 'take 4 steps or more');
  }
  const rising = spacedTimesteps(spacing, steps, trained, offset).map(roundHalfEven).reverse();
  const gap = Math.floor(trained / steps);
  const rungeKutta = settings.skip_prk_steps ? [] : rungeKuttaTimesteps(rising, Math.floor(gap / 2));
  const timesteps = [
    ...rungeKutta,
    ...(settings.skip_prk_steps ? firstStepTwice(rising) : rising.slice(0, -3).reverse()),
  ];
  requireTrained(steps, timesteps, trained);

  const alphas = alphasCumprod(settings);
  const final = settings.set_alpha_to_one ? 1 : at(alphas, 0);
  const moveOf = (step: number) => {
    const t = at(timesteps, step);
    const [from, to] =
      step < rungeKutta.length
        ? [at(rungeKutta, step - (step % 4)), step % 2 === 1 ? t : t - Math.floor(gap / 2)]
        : step === 1
          ? [t + gap, t]
          : [t, t - gap];
    return move(at(alphas, from), to >= 0 ? at(alphas, to) : final);
  };
  requireFinite(steps, timesteps, (step) => {
    const { divisor, ...by } = moveOf(step);
    return { ...by, weight: by.distance / divisor };
  });

  const transfer = (step: number, output: Float32Array, sample: Float32Array) => {
    const by = moveOf(step);
    const noise =
      settings.prediction_type === 'epsilon' ? output : add(multiply(by.signal, output), multiply(by.noise, sample));
    return subtract(multiply(by.stretch, sample), divide(multiply(by.distance, noise), by.divisor));
  };
  return {
    timesteps,
    initNoiseSigma: 1,
    needsNoise: false,
    historyLength(step) {
      if (step < rungeKutta.length) return Math.ceil(step / 4) + (step % 4 === 0 ? 0 : 2);
      return rungeKutta.length > 0 ? 3 : step === 1 ? 2 : Math.min(Math.max(step - 1, 0), 3);
    },
    scaleModelInput: (_, sample) => sample,
    advance: (step, history, call) =>
      (step < rungeKutta.length ? advanceRungeKutta : advanceMultistep)(step, history, call, transfer),
  };
}

/** From latents at one timestep to latents at another, given the noise in them. */
type Transfer = (step: number, output: Float32Array, sample: Float32Array) => Float32Array;

/** History within a Runge-Kutta step: first outputs of all steps so far, weighted sum of this step's outputs, its sample. */
function advanceRungeKutta(
  step: number,
  history: readonly Float32Array[],
  { modelOutput, sample }: UNetCall,
  transfer: Transfer,
): Advance {
  const sixth = multiply(fround(1 / 6), modelOutput);
  if (step % 4 === 0) {
    const sum = sixth.map((value) => 0 + value);
    return { history: [...history, modelOutput, sum, sample], sample: transfer(step, modelOutput, sample) };
  }
  const [outputs, [sum = sample, start = sample]] = [history.slice(0, -2), history.slice(-2)];
  if (step % 4 === 3) return { history: outputs, sample: transfer(step, add(sum, sixth), start) };
  const next = add(sum, multiply(fround(1 / 3), modelOutput));
  return { history: [...outputs, next, start], sample: transfer(step, modelOutput, start) };
}

/** History: up to three earlier outputs, oldest first; before the second call also the sample that the first started from. */
function advanceMultistep(
  step: number,
  history: readonly Float32Array[],
  { modelOutput, sample }: UNetCall,
  transfer: Transfer,
): Advance {
  if (step === 0) return { history: [modelOutput, sample], sample: transfer(step, modelOutput, sample) };
  if (step === 1) {
    const [first = modelOutput, start = sample] = history;
    return { history: [first], sample: transfer(step, divide(add(modelOutput, first), 2), start) };
  }
  return {
    history: [...history, modelOutput].slice(-3),
    sample: transfer(step, adamsBashforth([...history, modelOutput]), sample),
  };
}

/** The linear multistep combination of two, three or four outputs, oldest first. */
function adamsBashforth(outputs: readonly Float32Array[]): Float32Array {
  const [last, second, third, fourth] = outputs.toReversed() as [
    Float32Array,
    Float32Array,
    Float32Array?,
    Float32Array?,
  ];
  if (third === undefined) return divide(subtract(multiply(3, last), second), 2);
  if (fourth === undefined)
    return divide(add(subtract(multiply(23, last), multiply(16, second)), multiply(5, third)), 12);
  const sum = add(subtract(multiply(55, last), multiply(59, second)), multiply(37, third));
  return multiply(fround(1 / 24), subtract(sum, multiply(9, fourth)));
}

/** Each of the three greatest timesteps, the middle below it twice, and the next timestep; `rising` has four or more. */
function rungeKuttaTimesteps(rising: readonly number[], halfGap: number): number[] {
  const withMiddles = rising.slice(-4).flatMap((t) => [t, t + halfGap]);
  return withMiddles
    .slice(0, -1)
    .flatMap((t) => [t, t])
    .slice(1, -1)
    .reverse();
}

function firstStepTwice(rising: readonly number[]): number[] {
  return [...rising.slice(0, -1), ...rising.slice(-2, -1), ...rising.slice(-1)].reverse();
}

/** The scalars of formula 9, fp32. */
interface Move {
  /** Scale of the clean image and of the noise in the latents before the move. */
  readonly signal: number;
  readonly noise: number;
  readonly stretch: number;
  readonly distance: number;
  readonly divisor: number;
}

function move(alpha: number, after: number): Move {
  const [beta, betaAfter] = [fround(1 - alpha), fround(1 - after)];
  return {
    signal: fround(sqrt(alpha)),
    noise: fround(sqrt(beta)),
    stretch: fround(sqrt(fround(after / alpha))),
    distance: fround(after - alpha),
    divisor: fround(fround(alpha * fround(sqrt(betaAfter))) + fround(sqrt(fround(fround(alpha * beta) * after)))),
  };
}
