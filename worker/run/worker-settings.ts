import { hostname } from 'node:os';
import { z } from 'zod';
import { count, list, processName, processSettings } from '../../shared/config/process-settings.ts';
import { securitySettings } from '../../shared/fleet/security.ts';
import { providers } from '../session/provider.ts';
import { availableMemory } from './capabilities.ts';

/** Flags, each also an environment variable: `--metrics-port` is LETHE_METRICS_PORT. Lists are separated by commas. */
const schema = z.object({
  /** Coordinators, `host:port`, tried in turn. */
  coordinator: z.string().min(1).transform(list),
  /** Directories of the checkpoints this machine holds. */
  checkpoint: z.string().default('').transform(list),
  name: processName.default(`${hostname()}-${process.pid}`),
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
  ...securitySettings,
});
export type WorkerSettings = z.infer<typeof schema>;

/** Flags before environment before defaults. @throws LetheError `usage` naming each setting that is wrong. */
export function workerSettings(args: readonly string[], environment: NodeJS.ProcessEnv): WorkerSettings {
  return processSettings('worker', schema, args, environment);
}
