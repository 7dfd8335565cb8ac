/** A coordinator process: settings from flags and environment, until it is told to stop. */
import { pino } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { connectBus } from '../../shared/bus/connect.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { securityOf } from '../../shared/fleet/security.ts';
import { serveMetrics } from '../../shared/metrics/serve-metrics.ts';
import { startCoordinator } from './coordinator.ts';
import { busAddressOf, coordinatorSettings } from './coordinator-settings.ts';

const log = pino({ base: { service: 'lethe-coordinator' } });

async function main(): Promise<void> {
  const settings = coordinatorSettings(process.argv.slice(2), process.env);
  const { name, listen, replicas, checkpoint: checkpoints, lease: leaseMs, 'score-threads': scoreThreads } = settings;
  log.level = settings['log-level'];
  const security = securityOf(settings);
  const bus = await connectBus(busAddressOf(settings));
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const port = settings['metrics-port'];
  if (port !== undefined) await serveMetrics(registry, settings['metrics-host'], port);
  const setup = { name, listen, security, replicas, leaseMs, checkpoints, scoreThreads, registry };
  const coordinator = await startCoordinator(setup, bus, log.child({ coordinator: name }));
  log.info({ coordinator: name, address: coordinator.address }, 'listening');
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
  });
  await Promise.race([stopped, coordinator.failed]);
  await coordinator.close();
  process.exit(0);
}

main().catch((error: unknown) => {
  if (error instanceof LetheError) log.fatal({ code: error.code, where: error.where, next: error.next }, error.message);
  else log.fatal(error);
  process.exit(error instanceof LetheError && error.isInput ? 2 : 1);
});
