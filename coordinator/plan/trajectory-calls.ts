import type { Checkpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { schedulerClasses, type SchedulerName, schedulerNames } from '../../shared/model/scheduler-name.ts';

/** What of a diffusion scheduler decides how many UNet calls a trajectory has. */
export interface PlannedScheduler {
  readonly name: SchedulerName;
  /** PNDM: whether it starts without the three Runge-Kutta steps. */
  readonly skipsRungeKutta: boolean;
}

/**
 * The scheduler that is asked for, else the checkpoint's own: the class that model_index.json names, as diffusers has it.
 *
 * @throws LetheError `config-unsupported` if none is asked for and Lethe does not have the checkpoint's.
 */
export function schedulerOf(checkpoint: Checkpoint, asked: SchedulerName | undefined): PlannedScheduler {
  const { schedulerConfig: config, modelIndex } = checkpoint;
  const { _use_default_values: defaulted, skip_prk_steps: skips } = config;
  const dropped = Array.isArray(defaulted) && defaulted.includes('skip_prk_steps');
  const skipsRungeKutta = skips === true && !dropped;
  if (asked !== undefined) return { name: asked, skipsRungeKutta };

  const entry = modelIndex['scheduler'];
  const [, named] = Array.isArray(entry) ? (entry as readonly unknown[]) : [];
  const className = named ?? config['_class_name'];
  const name = schedulerNames.find((one) => schedulerClasses[one] === className);
  if (name !== undefined) return { name, skipsRungeKutta };
  throw new LetheError('config-unsupported', {
    what: 'cannot run the scheduler of this checkpoint',
    where: checkpoint.schedulerConfigPath,
    why: `it is ${JSON.stringify(className)}; supported: ${Object.values(schedulerClasses).join(', ')}`,
    next: `name another one as sampling.scheduler: ${schedulerNames.join(', ')}`,
  });
}

/**
 * UNet calls of a whole trajectory. PNDM makes its first step twice, or three Runge-Kutta steps of four calls each
 * (arXiv 2202.09778); the others make one call a step.
 */
export function trajectoryCalls({ name, skipsRungeKutta }: PlannedScheduler, steps: number): number {
  if (name !== 'pndm') return steps;
  if (skipsRungeKutta) return steps === 1 ? 1 : steps + 1;
  return steps + 9;
}
