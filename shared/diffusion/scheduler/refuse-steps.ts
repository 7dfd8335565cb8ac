import { LetheError } from '../../error/lethe-error.ts';

/** The error for a number of inference steps that a scheduler cannot take with these settings. */
export function refuseSteps(steps: number, why: string, next: string): LetheError {
  return new LetheError('sampling-invalid', {
    what: `cannot take ${steps} inference steps`,
    where: 'steps',
    why,
    next,
  });
}

/** Throws unless every scalar of every step is a number to calculate with. diffusers would go on and return NaN. */
export function requireFinite(
  steps: number,
  timesteps: readonly number[],
  scalarsOf: (step: number) => Readonly<Record<string, number>>,
): void {
  timesteps.forEach((timestep, step) => {
    const bad = Object.entries({ timestep, ...scalarsOf(step) }).find(([, value]) => !Number.isFinite(value));
    if (bad === undefined) return;
    throw refuseSteps(
      steps,
      `the ${bad[0]} of step ${step} is ${bad[1]}: two noise levels coincide, or one has no signal or no noise at all`,
      'choose another number of steps or another timestep_spacing; rescale_betas_zero_snr is for v_prediction',
    );
  });
}

/** Throws unless every timestep is one the model was trained on. diffusers fails, or wraps around to the other end. */
export function requireTrained(steps: number, timesteps: readonly number[], trained: number): void {
  const outside = timesteps.find((t) => !(t >= 0 && t < trained));
  if (outside === undefined) return;
  throw refuseSteps(
    steps,
    `they put a UNet call at timestep ${outside}; the model was trained on 0 to ${trained - 1}`,
    'choose fewer steps, or another timestep_spacing or steps_offset',
  );
}
