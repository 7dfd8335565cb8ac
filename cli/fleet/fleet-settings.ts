import { resolve } from 'node:path';
import { Option } from 'commander';
import { z } from 'zod';
import { readTextFile } from '../../shared/checkpoint/text-file.ts';
import { linesOf } from '../../shared/config/problem.ts';
import { schemaProblems } from '../../shared/config/schema-problems.ts';
import { readYaml } from '../../shared/config/yaml-file.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { isThere } from '../keys/key-folder.ts';

/** Settings of the current directory. */
const settingsFile = 'lethe.yaml';

/** A few lines; a larger file is another one. */
const settingsLimit = 2 ** 20;

const schema = z.strictObject({
  /** `host:port`. */
  coordinator: z.string().min(1).optional(),
  data: z.string().min(1).optional(),
});

/** Which fleet a command speaks to. */
export interface FleetSettings {
  /** Where its coordinator listens; undefined: the one that runs in `data`. */
  readonly coordinator: string | undefined;
  /** Folder of the local fleet: its NATS data, logs, and the masks that were fetched. */
  readonly data: string;
}

/** What commander read from flags and environment. */
export interface FleetOptions {
  readonly coordinator?: string;
  readonly data?: string;
}

export const coordinatorOption = (): Option =>
  new Option('--coordinator <host:port>', 'coordinator of the fleet (default: the one of the local fleet)').env(
    'LETHE_COORDINATOR',
  );

export const dataOption = (): Option =>
  new Option('--data <dir>', 'folder of the local fleet (default: .lethe)').env('LETHE_DATA');

/** Flags before environment before lethe.yaml before defaults. @throws LetheError `config-invalid` for lethe.yaml. */
export async function fleetSettings(given: FleetOptions): Promise<FleetSettings> {
  const file = await readSettings();
  return { coordinator: given.coordinator ?? file.coordinator, data: resolve(given.data ?? file.data ?? '.lethe') };
}

function unreadable(why: string, cause?: unknown, place = ''): LetheError {
  return new LetheError('config-invalid', {
    what: 'cannot read the settings',
    where: `${resolve(settingsFile)}${place}`,
    why,
    next: 'correct the file, or remove it',
    cause,
  });
}

async function readSettings(): Promise<z.infer<typeof schema>> {
  // None is none; one that cannot be read is a mistake.
  if (!(await isThere(settingsFile))) return {};
  const text = await readTextFile(settingsFile, { limit: settingsLimit, byteOrderMark: 'dropped' }, unreadable);
  const file = readYaml(text);
  const parsed = schema.safeParse(file.value);
  if (parsed.success && file.problems.length === 0) return parsed.data;
  const keys = Object.keys(schema.shape);
  const problems = [...file.problems, ...(parsed.success ? [] : schemaProblems(parsed.error, file, () => keys))];
  const positionOf = linesOf(text);
  const lines = problems.map(({ offset, key, problem }) => {
    const { line, column } = positionOf(offset);
    return `${line}:${column} ${key === '' ? '' : `${key}: `}${problem}`;
  });
  throw new LetheError('config-invalid', {
    what: 'cannot read the settings',
    where: resolve(settingsFile),
    why: [...new Set(lines)].join('\n'),
    next: `correct these lines; known keys are ${keys.join(', ')}`,
  });
}
