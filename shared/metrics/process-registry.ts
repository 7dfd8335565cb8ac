import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { releaseVersion } from './release.ts';

/** What a process of a fleet is. */
export type ProcessKind = 'coordinator' | 'worker' | 'serve';

/** A registry with Node's own metrics and `lethe_build_info`, which is 1 and says in its labels what runs. */
export function processRegistry(kind: ProcessKind): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'lethe_build_info',
    help: 'Always 1; its labels say which release runs as what, on which Node',
    labelNames: ['version', 'process', 'node'],
    registers: [registry],
  }).set({ version: releaseVersion, process: kind, node: process.versions.node }, 1);
  return registry;
}
