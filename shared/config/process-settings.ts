import { parseArgs } from 'node:util';
import { z } from 'zod';
import { LetheError } from '../error/lethe-error.ts';
import { closest } from './closest.ts';
import { isPlainText } from './plain-text.ts';

/** A process of a fleet whose settings lie in `<name>/run/<name>-settings.ts`. */
export type ProcessName = 'coordinator' | 'worker';

/** A whole number from 0, as text or as a number. */
export const count = z.coerce.number().int().min(0);

/** What a process is called in logs and lists: refused here, where it can be mended, rather than by every peer. */
export const processName = z
  .string()
  .min(1)
  .max(200)
  .refine(isPlainText, 'a name has no control characters, line ends or invisible ones');

/** Entries separated by commas; white space around them and empty ones do not count. */
export function list(text: string): readonly string[] {
  return text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
}

/**
 * Settings of a process: flags before environment before defaults. Every key of the schema is a flag with a value and an
 * environment variable: `--metrics-port` is LETHE_METRICS_PORT. A variable that is empty counts as not set.
 *
 * @throws LetheError `usage` naming every setting that is wrong, as it was given.
 */
export function processSettings<Shape extends z.ZodRawShape>(
  name: ProcessName,
  schema: z.ZodObject<Shape>,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): z.output<z.ZodObject<Shape>> {
  const names = Object.keys(schema.shape);
  const { values, problems } = flags(args, names);
  const variables = names.flatMap((key) => (environment[variable(key)] ? [[key, environment[variable(key)]]] : []));
  const fromEnvironment = Object.fromEntries(variables) as Readonly<Record<string, string>>;
  const parsed = schema.safeParse({ ...fromEnvironment, ...values });
  if (parsed.success && problems.length === 0) return parsed.data;
  // By setting: of two bounds that a value breaks, the narrower comes last.
  const issues = new Map<string, string>();
  for (const { path, message } of parsed.error?.issues ?? []) {
    const key = String(path[0]);
    // A flag without its value is told of already.
    if (key in values && values[key] === undefined) continue;
    issues.set(key in fromEnvironment && !(key in values) ? variable(key) : `--${key}`, message);
  }
  const wrong = [...issues].map(([setting, message]) => `${setting}: ${message}`);
  throw usage(name, [...problems, ...wrong].join('; '));
}

const variable = (key: string): string => `LETHE_${key.toUpperCase().replaceAll('-', '_')}`;

/** What flags say, a key without a usable value included, and what is wrong with them as flags. */
function flags(args: readonly string[], names: readonly string[]) {
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  const values: Record<string, string | undefined> = {};
  const problems: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') problems.push(`${token.value}: it is no flag`);
    if (token.kind !== 'option') continue;
    const { name, rawName, value, inlineValue } = token;
    const isKnown = names.includes(name);
    // As parseArgs has it where it is strict: what follows and begins like a flag was not meant as a value.
    const isValue = value !== undefined && (inlineValue || !value.startsWith('-'));
    if (!isKnown) {
      const meant = closest(name, names);
      problems.push(`${rawName}: there is no such setting${meant === undefined ? '' : `; did you mean --${meant}?`}`);
    } else if (!isValue)
      problems.push(`${rawName}: its value is missing; one that begins with - is given as ${rawName}=`);
    if (isKnown) values[name] = isValue ? value : undefined;
  }
  return { values, problems };
}

function usage(name: ProcessName, why: string): LetheError {
  return new LetheError('usage', {
    what: `cannot start the ${name}`,
    why,
    next: `see the settings in ${name}/run/${name}-settings.ts, or start a local fleet with \`lethe up\``,
  });
}
