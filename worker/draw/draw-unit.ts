import { LetheError } from '../../shared/error/lethe-error.ts';
import type { ImageUnit } from '../../shared/unit/unit.ts';
import { encodePng } from '../diffusion/png.ts';
import { rowsOf, type Sampling } from '../../shared/diffusion/sampling.ts';
import { type SchedulerName, schedulerNames } from '../../shared/model/scheduler-name.ts';
import type { StableDiffusion } from '../diffusion/stable-diffusion.ts';
import type { Trajectory } from '../diffusion/trajectory.ts';
import type { CallCounter, Supervision } from '../observe/phase.ts';
import { requireRunning } from '../observe/stopped.ts';

/**
 * The images of a unit as PNG files, in the order of its trajectories. An image's bytes do not depend on what shares its
 * unit.
 *
 * @param model of the unit's checkpoint, pruned as the unit says
 * @param counter is told of every call when it is made
 * @throws LetheError `unit-invalid` or `sampling-invalid` for what is asked, `non-finite`, `unit-stopped`, and what sessions
 *   throw.
 */
export async function drawUnit(
  model: StableDiffusion,
  unit: ImageUnit,
  counter: CallCounter,
  supervision: Supervision,
): Promise<readonly Uint8Array[]> {
  const sampling = samplingOf(unit);
  const scheduler = model.scheduler(sampling);
  const items = unit.trajectories.length;
  const start = unit.trajectories.map(({ seed }) => model.start(BigInt(seed), sampling, scheduler));

  requireRunning(supervision, { kind: 'loading' });
  await model.load(sampling);
  requireRunning(supervision, { kind: 'encoding' });
  const prompts = unit.trajectories.map(({ prompt }) => prompt);
  const distinct = [...new Set(rowsOf(sampling) === 2 ? ['', ...prompts] : prompts)];
  counter.prompts += distinct.length;
  const embeddings = await model.encode(distinct.map((prompt) => model.tokenizer.encode(prompt)));
  const textOf = (prompt: string): Float32Array => embeddings[distinct.indexOf(prompt)] ?? new Float32Array();

  let end: readonly Trajectory[] = start;
  let step = 0;
  requireRunning(supervision, { kind: 'step', step });
  for await (end of model.denoise(sampling, scheduler, start, prompts.map(textOf), textOf(''))) {
    counter.unetRuns += 1;
    counter.unetCalls += items;
    step += 1;
    if (step < scheduler.timesteps.length) requireRunning(supervision, { kind: 'step', step });
  }

  const images: Uint8Array[] = [];
  for (const { latents } of end) {
    // One by one: of all that is alive at once the decoder's is the largest.
    requireRunning(supervision, { kind: 'decoding' });
    images.push(...(await model.decode(sampling, [latents])).map(encodePng));
  }
  return images;
}

function samplingOf({ sampling, trajectories }: ImageUnit): Sampling {
  const scheduler = schedulerNames.find((name): name is SchedulerName => name === sampling.scheduler);
  if (scheduler === undefined) throw invalid(`there is no scheduler ${JSON.stringify(sampling.scheduler)}`);
  if (trajectories.length === 0) throw invalid('it has no trajectories');
  return { ...sampling, scheduler };
}

function invalid(why: string): LetheError {
  return new LetheError('unit-invalid', {
    what: 'cannot draw the unit',
    where: 'unit',
    why,
    next: 'ask for the images again, with the coordinator and workers of one release',
  });
}
