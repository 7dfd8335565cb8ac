import { z } from 'zod';
import type { JsonObject } from '../checkpoint/json-file.ts';
import { LetheError } from '../error/lethe-error.ts';

/** A config.json and where it is, for messages. */
export interface ConfigFile {
  readonly config: JsonObject;
  readonly configPath: string;
}

/**
 * The config without the keys that it lists in `_use_default_values`: diffusers gives those their defaults
 * (configuration_utils.py, extract_init_dict).
 */
export function withoutDefaulted(file: ConfigFile): ConfigFile {
  const { _use_default_values: listed, ...config } = file.config;
  if (!Array.isArray(listed)) return file;
  return { ...file, config: Object.fromEntries(Object.entries(config).filter(([key]) => !listed.includes(key))) };
}

/**
 * Reads the keys a schema names, with its defaults; other keys are ignored, as diffusers does.
 *
 * @throws LetheError `config-invalid` that names every key at fault.
 */
export function parseConfig<T>(schema: z.ZodType<T>, file: ConfigFile): T {
  const parsed = schema.safeParse(file.config);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`);
  throw new LetheError('config-invalid', {
    what: 'cannot read the config',
    where: file.configPath,
    why: faults.join('; '),
    next: 'restore the file that came with the weights',
  });
}

/** LetheError `config-invalid` for keys that are well typed and contradict each other. */
export function contradiction(file: ConfigFile, key: string, why: string): LetheError {
  return new LetheError('config-invalid', {
    what: `the config contradicts itself in ${key}`,
    where: file.configPath,
    why,
    next: 'restore the file that came with the weights',
  });
}

/**
 * LetheError `config-unsupported`: the config asks for something that Lethe would otherwise compute wrongly.
 *
 * @param supported what Lethe does in this place.
 */
export function unsupported(file: ConfigFile, key: string, supported: string): LetheError {
  return new LetheError('config-unsupported', {
    what: `${key} = ${shortened(file.config[key])} is not supported`,
    where: file.configPath,
    why: `supported: ${supported}`,
    next: 'use another checkpoint, or ask for this setting with its config.json',
  });
}

/** A value as JSON, cut where it would fill the screen. */
function shortened(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length <= longestShown ? text : `${text.slice(0, longestShown)}…`;
}

const longestShown = 200;

/** The one of `known` that a key's text is. @throws LetheError `config-unsupported` if it is none of them. */
export function oneOf<T extends string>(file: ConfigFile, key: string, value: string, known: readonly T[]): T {
  const found = known.find((each) => each === value);
  if (found === undefined) throw unsupported(file, key, known.join(', '));
  return found;
}

/**
 * Refuses a config by the first key whose value is neither absent nor one of those given.
 *
 * @param supported the values that change nothing for Lethe, by key.
 */
export function refuseUnless(file: ConfigFile, supported: Readonly<Record<string, readonly unknown[]>>): void {
  for (const [key, values] of Object.entries(supported)) {
    const value = file.config[key];
    if (value !== undefined && !values.includes(value))
      throw unsupported(file, key, values.map((each) => JSON.stringify(each)).join(' or '));
  }
}

/** A count of things that are built one by one: bounded, so that a hostile file cannot ask for billions. */
export const count = (most: number): z.ZodInt => z.int().min(1).max(most);

/** Widths and channels: far above any published model (SDXL: 10,240), far below what could exhaust memory. */
export const width = count(65_536);
