import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { LetheError } from '../../shared/error/lethe-error.ts';
import type { Security } from '../../shared/fleet/security.ts';
import { providers } from '../session/provider.ts';
import { availableMemory } from './capabilities.ts';

const count = z.coerce.number().int().min(0);

/** Flags, each also an environment variable: `--metrics-port` is LETHE_METRICS_PORT. Lists are separated by commas. */
const schema = z.object({
  /** Coordinators, `host:port`, tried in turn. */
  coordinator: z.string().min(1).transform(list),
  /** Directories of the checkpoints this machine holds. */
  checkpoint: z.string().default('').transform(list),
  name: z.string().min(1).max(200).default(`${hostname()}-${process.pid}`),
  provider: z.enum(providers).default('cpu'),
  threads: count.min(1).max(1024).default(1),
  /** What the device is called; the CPU's own name is found. */
  device: z.string().optional(),
  /** Bytes a unit may need. */
  memory: count.default(availableMemory()),
  /** Leases held at once; one runs. */
  slots: count.min(1).max(16).default(2),
  /** Seconds a draining worker has. */
  grace: z.coerce.number().min(0).default(25),
  'metrics-port': count.max(65535).optional(),
  'metrics-host': z.string().default('127.0.0.1'),
  /** `true`: plain text, which loopback alone allows. */
  insecure: z.stringbool().default(false),
  'tls-authority': z.string().optional(),
  'tls-certificate': z.string().optional(),
  'tls-key': z.string().optional(),
});
export type WorkerSettings = z.infer<typeof schema>;

/** Flags before environment before defaults. @throws LetheError `usage` naming each setting that is wrong. */
export function workerSettings(args: readonly string[], environment: NodeJS.ProcessEnv): WorkerSettings {
  const names = Object.keys(schema.shape);
  const variable = (name: string): string => `LETHE_${name.toUpperCase().replaceAll('-', '_')}`;
  const given = Object.fromEntries(
    names.flatMap((name) => (environment[variable(name)] === undefined ? [] : [[name, environment[variable(name)]]])),
  );
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
  const parsed = schema.safeParse({ ...given, ...flags(args, options) });
  if (parsed.success) return parsed.data;
  throw usage(parsed.error.issues.map(({ path, message }) => `--${path.join('.')}: ${message}`).join('; '));
}

/** @throws LetheError `usage` unless either --insecure or all three TLS files are given. */
export function securityOf(settings: WorkerSettings): Security {
  const { insecure, 'tls-authority': authority, 'tls-certificate': certificate, 'tls-key': key } = settings;
  if (insecure) return { kind: 'plain-text-loopback' };
  if (authority === undefined || certificate === undefined || key === undefined)
    throw usage('give --tls-authority, --tls-certificate and --tls-key, or --insecure true on loopback');
  return {
    kind: 'mutual-tls',
    authority: readFileSync(authority),
    certificate: readFileSync(certificate),
    key: readFileSync(key),
  };
}

function flags(args: readonly string[], options: NonNullable<Parameters<typeof parseArgs>[0]>['options']): object {
  try {
    return parseArgs({ args: [...args], options: options ?? {} }).values;
  } catch (error) {
    throw usage(error instanceof Error ? error.message : String(error));
  }
}

function list(text: string): readonly string[] {
  return text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
}

function usage(why: string): LetheError {
  return new LetheError('usage', {
    what: 'cannot start the worker',
    why,
    next: 'see the settings in worker/run/worker-settings.ts, or start a local fleet with `lethe up`',
  });
}
