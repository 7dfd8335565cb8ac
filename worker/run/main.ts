/** A worker process: settings from flags and environment, models in a thread, until it is told to drain. */
import { pino } from 'pino';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { securityOf } from '../../shared/fleet/security.ts';
import { processRegistry } from '../../shared/metrics/process-registry.ts';
import { serveMetrics } from '../../shared/metrics/serve-metrics.ts';
import { SessionCache } from '../session/session-cache.ts';
import { SessionThread } from '../session/session-thread.ts';
import { capabilitiesOf, cpuDevice } from './capabilities.ts';
import { systemClock } from './clock.ts';
import { CoordinatorLink } from './coordinator-link.ts';
import { FleetWorker } from './fleet-worker.ts';
import { ModelShelf } from './model-shelf.ts';
import { workerMetrics } from './worker-metrics.ts';
import { observerOf } from './worker-observer.ts';
import { workerSettings } from './worker-settings.ts';

/** Models that stay loaded beside those in use: a text encoder, and the UNets of two campaigns. */
const loadedModels = 4;
/** Bytes of uncommitted results a worker holds before it stops asking for work. */
const keep = 512 * 1024 * 1024;

/** Milliseconds a call under way has to return when the grace period is over. */
const lastCall = 5000;

const log = pino({ base: { service: 'lethe-worker' } });

async function main(): Promise<void> {
  const settings = workerSettings(process.argv.slice(2), process.env);
  const { provider, threads, name, slots, grace, memory } = settings;
  const link = new CoordinatorLink(settings.coordinator, await securityOf(settings), systemClock, Math.random);
  const thread = new SessionThread();
  const unusable = await thread.tryProvider(provider);
  if (unusable !== undefined)
    throw new LetheError('provider-unavailable', {
      what: `cannot use the ${provider} provider`,
      why: unusable.trim(),
      next: 'run `lethe doctor` on this machine',
    });
  const shelf = await ModelShelf.open(
    settings.checkpoint,
    new SessionCache(thread, { provider, threads }, loadedModels),
  );

  const registry = processRegistry('worker');
  const port = settings['metrics-port'];
  if (port !== undefined) await serveMetrics(registry, settings['metrics-host'], port);

  const known = (await thread.support()).map((support) => support.provider);
  const device = settings.device ?? cpuDevice();
  const version = process.env['npm_package_version'] ?? '0.1.0';
  const capabilities = capabilitiesOf({ provider, threads }, device, memory, known, shelf.ids, version);
  const setup = { name, capabilities, slots, grace: grace * 1000, keep };
  const observer = observerOf(log.child({ worker: name }), workerMetrics(registry));
  const worker = new FleetWorker(setup, shelf.runUnit, link, systemClock, observer);
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      worker.drain(signal);
    });
  worker.start();
  const reason = await worker.stopped;
  // Exiting while the runtime computes aborts the process: the call under way is waited for, unless it never returns.
  const wedged = setTimeout(() => {
    log.fatal('a call does not return: ending the process');
    process.kill(process.pid, 'SIGKILL');
  }, lastCall);
  await thread.close();
  clearTimeout(wedged);
  process.exit(reason.startsWith('SIG') || reason.startsWith('coordinator:') ? 0 : 1);
}

main().catch((error: unknown) => {
  if (error instanceof LetheError) log.fatal({ code: error.code, where: error.where, next: error.next }, error.message);
  else log.fatal(error);
  process.exit(error instanceof LetheError && error.isLasting ? 2 : 1);
});
