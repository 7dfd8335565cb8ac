import { z } from 'zod';
import { LetheError } from '../../error/lethe-error.ts';
import type { SchedulerConfig } from './scheduler-config.ts';
import { schedulerClasses, type SchedulerName } from '../../model/scheduler-name.ts';

/** Settings are spelled as in scheduler_config.json; defaults are those of each class's __init__ in diffusers 0.29.2. */
const beta = z.number().min(0).max(1);
const flag = z.boolean().default(false);
/** Optional[bool] in diffusers: null stands for false. */
const optionalFlag = z.boolean().nullable().default(false).transform(Boolean);
const spacing = z.enum(['leading', 'linspace', 'trailing']);
/** What the one value Lethe does of a setting looks like: any other of its type is refused as unsupported. */
const onlyFalse = z.literal(false).default(false);

const common = {
  num_train_timesteps: z.int().min(1).max(100_000).default(1000),
  beta_start: beta.default(0.0001),
  beta_end: beta.default(0.02),
  beta_schedule: z.enum(['linear', 'scaled_linear', 'squaredcos_cap_v2']).default('linear'),
  trained_betas: z.array(beta).nullable().default(null),
  steps_offset: z.int().default(0),
};
const anyPrediction = z.enum(['epsilon', 'v_prediction', 'sample']).default('epsilon');
const noSamplePrediction = z.enum(['epsilon', 'v_prediction']).default('epsilon');

export const pndmSettings = z.object({
  ...common,
  skip_prk_steps: flag,
  set_alpha_to_one: flag,
  prediction_type: noSamplePrediction,
  timestep_spacing: spacing.default('leading'),
});
export type PndmSettings = z.infer<typeof pndmSettings>;

export const ddimSettings = z.object({
  ...common,
  clip_sample: z.boolean().default(true),
  clip_sample_range: z.number().min(0).default(1),
  set_alpha_to_one: z.boolean().default(true),
  prediction_type: anyPrediction,
  thresholding: onlyFalse,
  timestep_spacing: spacing.default('leading'),
  rescale_betas_zero_snr: flag,
});
export type DdimSettings = z.infer<typeof ddimSettings>;

/** Bounds of Karras sigmas. DPM-Solver++ has no such arguments in diffusers, and yet reads them when a config holds them. */
const karras = {
  use_karras_sigmas: optionalFlag,
  sigma_min: z.number().positive().nullable().default(null),
  sigma_max: z.number().positive().nullable().default(null),
  final_sigmas_type: z.enum(['zero', 'sigma_min']).default('zero'),
};

/** Other sigmas, which later diffusers know: 0.29.2 ignores the keys, and the images would be others than were meant. */
const notYet = z.literal([false, null]).default(false);
const otherSigmas = { use_beta_sigmas: notYet, use_exponential_sigmas: notYet };

export const eulerSettings = z.object({
  ...common,
  ...karras,
  ...otherSigmas,
  prediction_type: anyPrediction,
  interpolation_type: z.enum(['linear']).default('linear'),
  timestep_spacing: spacing.default('linspace'),
  timestep_type: z.enum(['discrete']).default('discrete'),
  rescale_betas_zero_snr: flag,
});
export type EulerSettings = z.infer<typeof eulerSettings>;

export const eulerAncestralSettings = z.object({
  ...common,
  prediction_type: noSamplePrediction,
  timestep_spacing: spacing.default('linspace'),
  rescale_betas_zero_snr: flag,
});
/** What the two Euler schedulers share. */
export type EulerAncestralSettings = Omit<z.infer<typeof eulerAncestralSettings>, 'prediction_type'> & {
  readonly prediction_type: EulerSettings['prediction_type'];
};

export const dpmSolverSettings = z
  .object({
    ...common,
    ...karras,
    ...otherSigmas,
    use_flow_sigmas: notYet,
    solver_order: z.literal([1, 2]).default(2),
    prediction_type: anyPrediction,
    thresholding: onlyFalse,
    algorithm_type: z.enum(['dpmsolver++', 'deis']).default('dpmsolver++'),
    // diffusers takes the solver types of DEIS and UniPC for midpoint, so that their configs can be swapped in.
    solver_type: z
      .enum(['midpoint', 'heun', 'logrho', 'bh1', 'bh2'])
      .default('midpoint')
      .transform((type) => (type === 'heun' ? 'heun' : 'midpoint')),
    lower_order_final: z.boolean().default(true),
    euler_at_final: flag,
    use_lu_lambdas: z.literal([false, null]).default(false),
    lambda_min_clipped: z.union([z.number(), z.literal(-Infinity)], 'expected a number').default(-Infinity),
    // Of DDPM's only the learned ones mean something here: the model then predicts variances too.
    variance_type: z.literal([null, 'fixed_small', 'fixed_small_log', 'fixed_large', 'fixed_large_log']).default(null),
    timestep_spacing: spacing.default('linspace'),
    rescale_betas_zero_snr: flag,
  })
  .refine((settings) => settings.algorithm_type !== 'deis' || settings.final_sigmas_type !== 'zero', {
    path: ['final_sigmas_type'],
    message: "diffusers takes algorithm_type 'deis' with final_sigmas_type 'sigma_min' only",
  });
export type DpmSolverSettings = z.infer<typeof dpmSolverSettings>;

/**
 * The settings a scheduler runs with: what the checkpoint gives, and defaults of the class that runs for the rest, as
 * from_config of diffusers/configuration_utils.py (0.29.2) has it. Keys the class does not know are ignored, as there.
 */
export function settingsOf<
  S extends z.ZodType<{ num_train_timesteps: number; trained_betas: readonly number[] | null }>,
>(name: SchedulerName, schema: S, config: SchedulerConfig): z.infer<S> {
  const own = config.className === schedulerClasses[name] ? config.own : {};
  const parsed = schema.safeParse({ ...config.given, ...own }, { reportInput: true });
  if (!parsed.success) throw refusal(name, config, parsed.error.issues[0]);
  const { trained_betas: betas, num_train_timesteps: trained } = parsed.data;
  if (betas === null || betas.length === trained) return parsed.data;
  throw new LetheError('config-invalid', {
    what: `cannot set up the ${name} scheduler`,
    where: `${config.file}, trained_betas`,
    why: `it lists ${betas.length} betas, and num_train_timesteps is ${trained}`,
    next: 'give one beta for each training timestep, or null',
  });
}

function refusal(name: SchedulerName, config: SchedulerConfig, issue: z.core.$ZodIssue | undefined): LetheError {
  const key = issue?.path.join('.') ?? '';
  const failure = { what: `cannot set up the ${name} scheduler`, where: `${config.file}, ${key}` };
  const value = shown(issue?.input);
  // Another value of the right type is one that diffusers may know and Lethe does not.
  if (
    issue?.code === 'invalid_value' &&
    issue.values.some((one) => one === null || typeof one === typeof issue.input)
  ) {
    const supported = issue.values.map(shown).join(', ');
    return new LetheError('config-unsupported', {
      ...failure,
      why: `${key} is ${value}; supported: ${supported}`,
      next: 'choose another scheduler by name, or change the setting in a copy of the checkpoint',
    });
  }
  return new LetheError('config-invalid', {
    ...failure,
    why: `${key} is ${value}: ${issue?.message ?? 'not valid'}`,
    next: 'restore the file from where the checkpoint came from',
  });
}

/** JSON, but for -Infinity, which JSON has no word for. */
function shown(value: unknown): string {
  return typeof value === 'number' ? String(value) : JSON.stringify(value);
}
