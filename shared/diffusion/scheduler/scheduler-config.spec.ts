import { readFileSync } from 'node:fs';
import { parseJsonObject } from '../../checkpoint/json-file.ts';
import { describe, expect, it } from 'vitest';
import { LetheError } from '../../error/lethe-error.ts';
import { applyPipelineFixups, parseSchedulerConfig, schedulerNameOf } from './scheduler-config.ts';
import { schedulerClasses, schedulerNames, type SchedulerName } from '../../model/scheduler-name.ts';
import {
  ddimSettings,
  dpmSolverSettings,
  eulerAncestralSettings,
  eulerSettings,
  pndmSettings,
  settingsOf,
} from './scheduler-settings.ts';
import { createScheduler } from './scheduler.ts';

type Settings = Readonly<Record<string, unknown>>;

const schemas = {
  pndm: pndmSettings,
  ddim: ddimSettings,
  euler: eulerSettings,
  'euler-ancestral': eulerAncestralSettings,
  'dpmpp-2m': dpmSolverSettings,
};

/** How goldens.json is laid out; make-goldens.py says what is in it. */
const goldens = JSON.parse(readFileSync('shared/diffusion/scheduler/goldens.json', 'utf8')) as {
  readonly swaps: readonly {
    readonly file: Settings;
    readonly pipeline: boolean;
    /** The class that from_config was called on; none if the checkpoint's own class runs. */
    readonly to?: string;
    readonly config: Settings;
    readonly timesteps: readonly number[];
  }[];
};

describe('the settings that diffusers users get', () => {
  it.each(goldens.swaps)('$file, in a pipeline: $pipeline, swapped for $to', ({ file, pipeline, to, ...expected }) => {
    const read = parseSchedulerConfig(file, 'scheduler_config.json');
    const config = pipeline ? applyPipelineFixups(read) : read;
    const name =
      to === undefined ? schedulerNameOf(config) : schedulerNames.find((one) => schedulerClasses[one] === to)!;
    const settings: Settings = settingsOf(name, schemas[name], config);
    for (const [key, value] of Object.entries(settings)) {
      if (key in expected.config) expect([key, value]).toEqual([key, expected.config[key]]);
    }
    const timesteps = createScheduler(name, config, 10).timesteps;
    expect(timesteps.map(Math.fround)).toEqual(expected.timesteps.map(Math.fround));
  });
});

describe('parseSchedulerConfig', () => {
  it.each([null, [], 'PNDMScheduler', {}, { _class_name: ['PNDMScheduler'] }])('refuses %j', (json) => {
    expect(() => parseSchedulerConfig(json, 'scheduler_config.json')).toThrow(
      expect.objectContaining({ code: 'config-invalid' }),
    );
  });

  it('runs the class that model_index.json names, whatever the file says', () => {
    const config = parseSchedulerConfig({ _class_name: 'PNDMScheduler' }, 'scheduler_config.json', 'DDIMScheduler');
    expect(schedulerNameOf(config)).toBe('ddim');
  });

  it('drops what the file says was a default', () => {
    const json = {
      _class_name: 'DDIMScheduler',
      _use_default_values: ['steps_offset'],
      steps_offset: 3,
      beta_end: 0.5,
    };
    expect(parseSchedulerConfig(json, 'scheduler_config.json').given).toEqual({ beta_end: 0.5 });
  });
});

it('fixes a configuration up once', () => {
  const once = applyPipelineFixups(parseSchedulerConfig({ _class_name: 'DDIMScheduler', clip_sample: true }, 'file'));
  expect(applyPipelineFixups(once)).toEqual(once);
});

function refusalOf(name: SchedulerName, settings: Settings): LetheError {
  try {
    createScheduler(name, parseSchedulerConfig({ _class_name: 'X', ...settings }, 'scheduler_config.json'), 10);
  } catch (error) {
    if (error instanceof LetheError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('settings that are refused', () => {
  it.each<readonly [SchedulerName, string, unknown]>([
    ['pndm', 'prediction_type', 'sample'],
    ['pndm', 'beta_schedule', 'sigmoid'],
    ['ddim', 'thresholding', true],
    ['ddim', 'timestep_spacing', 'even'],
    ['euler', 'interpolation_type', 'log_linear'],
    ['euler', 'timestep_type', 'continuous'],
    ['euler-ancestral', 'prediction_type', 'sample'],
    ['dpmpp-2m', 'solver_order', 3],
    ['dpmpp-2m', 'algorithm_type', 'sde-dpmsolver++'],
    ['dpmpp-2m', 'use_lu_lambdas', true],
    ['dpmpp-2m', 'thresholding', true],
    ['dpmpp-2m', 'variance_type', 'learned_range'],
    ['dpmpp-2m', 'use_beta_sigmas', true],
    ['dpmpp-2m', 'use_exponential_sigmas', true],
    ['dpmpp-2m', 'use_flow_sigmas', true],
    ['euler', 'use_beta_sigmas', true],
    ['euler', 'use_exponential_sigmas', true],
    ['dpmpp-2m', 'final_sigmas_type', 'one'],
  ])('%s: %s %j is unsupported', (name, key, value) => {
    const { code, where, why } = refusalOf(name, { [key]: value });
    expect(code).toBe('config-unsupported');
    expect(where).toContain(key);
    expect(why).toContain(JSON.stringify(value));
    expect(why).toContain('supported:');
  });

  it.each<readonly [SchedulerName, string, Settings]>([
    ['pndm', 'beta_start', { beta_start: '0.1' }],
    ['pndm', 'beta_end', { beta_end: -1 }],
    ['pndm', 'num_train_timesteps', { num_train_timesteps: 0 }],
    ['pndm', 'num_train_timesteps', { num_train_timesteps: 1e12 }],
    ['ddim', 'trained_betas', { trained_betas: [0.1, 0.2] }],
    ['ddim', 'clip_sample', { clip_sample: 'no' }],
    ['ddim', 'thresholding', { thresholding: 'no' }],
    ['euler', 'steps_offset', { steps_offset: 0.5 }],
    ['euler', 'sigma_min', { sigma_min: 0 }],
    ['euler', 'final_sigmas_type', { final_sigmas_type: null }],
    ['dpmpp-2m', 'final_sigmas_type', { algorithm_type: 'deis' }],
    ['dpmpp-2m', 'lambda_min_clipped', { lambda_min_clipped: 'low' }],
  ])('%s: %s of %j is invalid', (name, key, settings) => {
    const { code, where } = refusalOf(name, settings);
    expect(code).toBe('config-invalid');
    expect(where).toContain(key);
  });

  it('ignores keys of other classes and of none', () => {
    const config = parseSchedulerConfig({ _class_name: 'X', thresholding: true, solver_order: 3, new: {} }, 'file');
    expect(createScheduler('pndm', config, 10).timesteps).toHaveLength(19);
  });

  it('names a scheduler it does not have, and those it has, unless another is asked for', () => {
    const config = parseSchedulerConfig({ _class_name: 'LMSDiscreteScheduler' }, 'scheduler_config.json');
    expect(() => schedulerNameOf(config)).toThrow(/LMSDiscreteScheduler.*EulerDiscreteScheduler/);
    expect(createScheduler('euler', config, 10).timesteps).toHaveLength(10);
  });
});

it('takes the configuration diffusers saves for DPM-Solver++, with its bare -Infinity', () => {
  const text = '{"_class_name": "DPMSolverMultistepScheduler", "lambda_min_clipped": -Infinity}';
  const config = parseSchedulerConfig(parseJsonObject(text, 'scheduler_config.json'), 'scheduler_config.json');
  expect(createScheduler(schedulerNameOf(config), config, 10).timesteps).toHaveLength(10);
});
