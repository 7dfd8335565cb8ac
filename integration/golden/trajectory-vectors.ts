import { createScheduler, type Scheduler } from '../../shared/diffusion/scheduler/scheduler.ts';
import { parseSchedulerConfig } from '../../shared/diffusion/scheduler/scheduler-config.ts';
import { schedulerClasses, schedulerNames } from '../../shared/model/scheduler-name.ts';
import { concatenate } from '../../worker/diffusion/rows.ts';
import type { Sampling } from '../../shared/diffusion/sampling.ts';
import type { GoldenRun } from './golden-run.ts';
import { goldenInvalid } from './golden-file.ts';
import { type GoldenResult, relativeError } from './result.ts';

/** Seed of the first prompt's generator; each further prompt adds 1. */
const firstSeed = 100;

/**
 * How far a trajectory may be off. Noise of 2e-6 in every UNet call was seen to move the 8 steps of the tiny models by
 * 1-3e-5, the 20 steps of emoji-sd by up to 5e-4, and with trailing spacing by 1.5e-3 (docs/golden.md).
 */
function toleranceOf(steps: number, spacing: unknown): number {
  if (steps <= 8) return 1e-4;
  return spacing === 'trailing' ? 5e-3 : 1e-3;
}

/** Checks `traj.<key>.latents`, `traj.<key>.image` and the timesteps in goldens.json: one guided run from the prompts on. */
export async function* checkTrajectory(run: GoldenRun, key: string): AsyncGenerator<GoldenResult> {
  const { file, model, settings, texts, empty } = run;
  const golden = settings.schedulers[key];
  if (golden === undefined) throw goldenInvalid('goldens.json', `schedulers has no entry for traj.${key}`);
  const { scheduler, sampling } = samplerOf(run, key, golden.config);
  const timesteps = relativeError([...scheduler.timesteps], golden.timesteps);
  yield { name: `traj.${key}.timesteps`, error: timesteps, tolerance: 1e-6 };

  let batch = settings.prompts.map((_, i) => model.start(firstSeed + i, sampling, scheduler));
  const latents: Float32Array[] = [];
  for await (const next of model.denoise(sampling, scheduler, batch, texts, empty)) {
    batch = [...next];
    latents.push(...next.map((trajectory) => trajectory.latents));
  }
  const tolerance = toleranceOf(settings.steps, golden.config['timestep_spacing']);
  const expected = await file.read(`traj.${key}.latents`);
  yield { name: `traj.${key}.latents`, error: relativeError(concatenate(latents), expected.data), tolerance };

  const images = await model.decode(
    sampling,
    batch.map((trajectory) => trajectory.latents),
  );
  const image = await file.read(`traj.${key}.image`);
  const pixels = concatenate(images.map(({ data }) => data));
  yield { name: `traj.${key}.image`, error: relativeError(pixels, image.data), tolerance };
}

/** goldens.json names schedulers by what make.py called them: the scheduler, then what is special about it. */
function samplerOf(
  { model, settings }: GoldenRun,
  key: string,
  config: Readonly<Record<string, unknown>>,
): { readonly scheduler: Scheduler; readonly sampling: Sampling } {
  const dashed = key.replaceAll('_', '-');
  const [name] = schedulerNames
    .filter((known) => dashed === known || dashed.startsWith(`${known}-`))
    .sort((a, b) => b.length - a.length);
  if (name === undefined) throw goldenInvalid('goldens.json', `no scheduler is called ${key}`);
  const [height, width] = model.unetConfig.sampleSize;
  const { steps, guidance_scale: guidance } = settings;
  const parsed = parseSchedulerConfig(config, 'goldens.json', schedulerClasses[name]);
  return {
    scheduler: createScheduler(name, parsed, steps),
    sampling: { scheduler: name, steps, guidance, height, width },
  };
}
