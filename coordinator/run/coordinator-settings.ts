import { hostname } from 'node:os';
import { z } from 'zod';
import type { BusAddress } from '../../shared/bus/connect.ts';
import { leaseMs } from '../../shared/bus/work-queue.ts';
import { count, list, processName, processSettings } from '../../shared/config/process-settings.ts';
import { securitySettings } from '../../shared/fleet/security.ts';

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
  name: processName.default(`${hostname()}-${process.pid}`),
  /** Directories of checkpoints on this machine, beside those that campaigns name. */
  checkpoint: z.string().default('').transform(list),
  /** Milliseconds until a silent lease ends; the same at every coordinator of a fleet. */
  lease: count.min(500).default(leaseMs),
  /** Threads that score weights. */
  'score-threads': count.min(1).max(256).default(2),
  /** File of the key that changes of the active masks are signed with; without one they are refused. */
  'signing-key': z.string().min(1).optional(),
  /** File of the keys whose signatures count; without one, the signing key alone. */
  'trust-list': z.string().min(1).optional(),
  /** File of the key that masks are sealed with; without one they are not. */
  'fleet-key': z.string().min(1).optional(),
  'metrics-port': count.max(65535).optional(),
  'metrics-host': z.string().default('127.0.0.1'),
  'log-level': z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  ...securitySettings,
});
export type CoordinatorSettings = z.infer<typeof schema>;

/** Flags before environment before defaults. @throws LetheError `usage` naming each setting that is wrong. */
export function coordinatorSettings(args: readonly string[], environment: NodeJS.ProcessEnv): CoordinatorSettings {
  return processSettings('coordinator', schema, args, environment);
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
