import { LetheError } from '../../error/lethe-error.ts';
import { schedulerClasses, schedulerNames, type SchedulerName } from '../../model/scheduler-name.ts';

/**
 * What a checkpoint says about its diffusion scheduler. Defaults are not filled in yet: they are those of the class
 * that is run, which need not be the class the checkpoint names.
 */
export interface SchedulerConfig {
  /** Where it was read, for messages. */
  readonly file: string;
  /** The diffusers class that the checkpoint names. */
  readonly className: string;
  /** The keys the file sets, spelled as in the file. They hold for whichever class is run. */
  readonly given: Readonly<Record<string, unknown>>;
  /** Values that hold only while the checkpoint's own class is run. */
  readonly own: Readonly<Record<string, unknown>>;
}

/**
 * Reads a scheduler_config.json. `className` is what model_index.json says: diffusers runs that class whatever
 * `_class_name` in the file says. Settings are checked by `createScheduler`, for the class that is run.
 */
export function parseSchedulerConfig(json: unknown, file: string, className?: string): SchedulerConfig {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw invalid(file, 'it is not a JSON object');
  }
  const { _class_name: named, _use_default_values: defaulted, ...rest } = json as Readonly<Record<string, unknown>>;
  const name = className ?? named;
  if (typeof name !== 'string') throw invalid(`${file}, _class_name`, 'it does not name a scheduler class');
  const dropped = Array.isArray(defaulted) ? (defaulted as readonly unknown[]) : [];
  const given = Object.entries(rest).filter(([key]) => !key.startsWith('_') && !dropped.includes(key));
  return { file, className: name, given: Object.fromEntries(given), own: {} };
}

/**
 * What the constructor of StableDiffusionPipeline does to the checkpoint's own scheduler: steps_offset becomes 1 and
 * clip_sample false (diffusers/pipelines/stable_diffusion/pipeline_stable_diffusion.py, 0.29.2; not the SDXL pipeline).
 * A value that the file gave stays changed when another scheduler is asked for afterwards; one that was a default
 * there is forgotten, since from_config drops defaults and takes those of the other class.
 */
export function applyPipelineFixups(config: SchedulerConfig): SchedulerConfig {
  const fixed = { steps_offset: 1, clip_sample: false };
  const applies = (key: string) =>
    key === 'steps_offset' ||
    (key in config.given ? config.given[key] === true : config.className === schedulerClasses.ddim);
  const changes = Object.entries(fixed).filter(([key]) => applies(key));
  const isGiven = ([key]: readonly [string, unknown]) => key in config.given;
  return {
    ...config,
    given: { ...config.given, ...Object.fromEntries(changes.filter(isGiven)) },
    own: { ...config.own, ...Object.fromEntries(changes.filter((change) => !isGiven(change))) },
  };
}

/** The scheduler of the checkpoint itself. Throws 'config-unsupported' if Lethe does not have it; another can then be asked for by name. */
export function schedulerNameOf(config: SchedulerConfig): SchedulerName {
  const name = schedulerNames.find((one) => schedulerClasses[one] === config.className);
  if (name !== undefined) return name;
  throw new LetheError('config-unsupported', {
    what: `cannot run the scheduler of this checkpoint`,
    where: `${config.file}, _class_name`,
    why: `it is ${JSON.stringify(config.className)}; supported: ${Object.values(schedulerClasses).join(', ')}`,
    next: `name another scheduler: ${schedulerNames.join(', ')}; it takes its settings from the same file`,
  });
}

function invalid(where: string, why: string): LetheError {
  return new LetheError('config-invalid', {
    what: 'cannot read the scheduler configuration',
    where,
    why,
    next: 'restore the file from where the checkpoint came from',
  });
}
