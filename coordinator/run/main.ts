/** A coordinator process: settings from flags and environment, until it is told to stop. */
import { pino } from 'pino';
import { connectBus } from '../../shared/bus/connect.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { securityOf } from '../../shared/fleet/security.ts';
import { processRegistry } from '../../shared/metrics/process-registry.ts';
import { serveMetrics } from '../../shared/metrics/serve-metrics.ts';
import { readFleetKey } from '../../shared/manifest/fleet-key.ts';
import { readSigningKey } from '../../shared/manifest/signing-key.ts';
import { fileKeyring } from '../publish/keyring.ts';
import { startCoordinator } from './coordinator.ts';
import { busAddressOf, coordinatorSettings } from './coordinator-settings.ts';

const log = pino({ base: { service: 'lethe-coordinator' } });

async function main(): Promise<void> {
  const settings = coordinatorSettings(process.argv.slice(2), process.env);
  const { name, listen, replicas, checkpoint: checkpoints, lease: leaseMs, 'score-threads': scoreThreads } = settings;
  log.level = settings['log-level'];
  const security = await securityOf(settings);
  const bus = await connectBus(busAddressOf(settings));
  const registry = processRegistry('coordinator');
  const port = settings['metrics-port'];
  if (port !== undefined) await serveMetrics(registry, settings['metrics-host'], port);
  const { 'signing-key': signingKey, 'trust-list': trustList, 'fleet-key': fleetKeyFile } = settings;
  const keyring = fileKeyring(signingKey, trustList);
  // What is wrong with the keys is said now, not when the first change is asked for.
  if (trustList !== undefined) await keyring.trust();
  if (signingKey !== undefined) await readSigningKey(signingKey);
  const fleetKey = fleetKeyFile === undefined ? undefined : await readFleetKey(fleetKeyFile);
  const places = { name, listen, security, replicas, leaseMs, checkpoints, scoreThreads, registry };
  const setup = { ...places, keyring, fleetKey };
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
  process.exit(error instanceof LetheError && error.isLasting ? 2 : 1);
});
