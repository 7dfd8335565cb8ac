import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import type { BusAddress } from '../../shared/bus/connect.ts';
import { leaseMs } from '../../shared/bus/work-queue.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import type { Security } from '../../shared/fleet/security.ts';

const count = z.coerce.number().int().min(0);

/** Flags, each also an environment variable: `--nats-token` is LETHE_NATS_TOKEN. Lists are separated by commas. */
const schema = z.object({
  /** NATS servers of one cluster, `host:port`. */
  nats: z.string().min(1).transform(list),
  'nats-token': z.string().optional(),
  'nats-user': z.string().optional(),
  'nats-password': z.string().optional(),
  'nats-authority': z.string().optional(),
  /** Copies of every stream. */
  replicas: z.coerce
    .number()
    .pipe(z.union([z.literal(1), z.literal(3), z.literal(5)]))
    .default(1),
  /** Where workers and commands connect, `host:port`. */
  listen: z.string().default('127.0.0.1:0'),
  name: z.string().min(1).max(200).default(`${hostname()}-${process.pid}`),
  /** Directories of checkpoints on this machine, beside those that campaigns name. */
  checkpoint: z.string().default('').transform(list),
  /** Milliseconds until a silent lease ends; the same at every coordinator of a fleet. */
  lease: count.min(500).default(leaseMs),
  /** Threads that score weights. */
  'score-threads': count.min(1).max(256).default(2),
  'metrics-port': count.max(65535).optional(),
  'metrics-host': z.string().default('127.0.0.1'),
  'log-level': z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  /** `true`: plain text, which loopback alone allows. */
  insecure: z.stringbool().default(false),
  'tls-authority': z.string().optional(),
  'tls-certificate': z.string().optional(),
  'tls-key': z.string().optional(),
});
export type CoordinatorSettings = z.infer<typeof schema>;

/** Flags before environment before defaults. @throws LetheError `usage` naming each setting that is wrong. */
export function coordinatorSettings(args: readonly string[], environment: NodeJS.ProcessEnv): CoordinatorSettings {
  const names = Object.keys(schema.shape);
  const given = Object.fromEntries(
    names.flatMap((name) => {
      const value = environment[`LETHE_${name.toUpperCase().replaceAll('-', '_')}`];
      return value === undefined ? [] : [[name, value]];
    }),
  );
  const parsed = schema.safeParse({ ...given, ...flags(args, names) });
  if (parsed.success) return parsed.data;
  throw usage(parsed.error.issues.map(({ path, message }) => `--${path.join('.')}: ${message}`).join('; '));
}

/** Where NATS is, and as whom this coordinator goes there. */
export function busAddressOf(settings: CoordinatorSettings): BusAddress {
  const {
    nats,
    'nats-token': token,
    'nats-user': user,
    'nats-password': password = '',
    'nats-authority': caFile,
  } = settings;
  return {
    servers: nats,
    clientName: `coordinator ${settings.name}`,
    ...(token !== undefined
      ? { credentials: { kind: 'token', token } }
      : user !== undefined && { credentials: { kind: 'user', user, password } }),
    ...(caFile !== undefined && { tls: { caFile } }),
  };
}

/** @throws LetheError `usage` unless either --insecure or all three TLS files are given. */
export function securityOf(settings: CoordinatorSettings): Security {
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

function flags(args: readonly string[], names: readonly string[]): object {
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
  try {
    return parseArgs({ args: [...args], options }).values;
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
    what: 'cannot start the coordinator',
    why,
    next: 'see the settings in coordinator/run/coordinator-settings.ts, or start a local fleet with `lethe up`',
  });
}
