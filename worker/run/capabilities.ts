import { cpus, totalmem } from 'node:os';
import type { Capabilities } from '../../shared/fleet/task.ts';
import { graphVersion } from '../../shared/unit/unit.ts';
import type { SessionSettings } from '../session/protocol.ts';
import { runtimeVersion } from '../session/runtime-version.ts';

/**
 * The numerics class of a device: results have the same bits within it. Words with one slash between: provider, device
 * or CPU kind, runtime, graph version, threads.
 */
export function numericsClass(settings: SessionSettings, device: string): string {
  const kind = device.trim().replace(/[^A-Za-z0-9.]+/g, '-');
  const { provider, threads } = settings;
  return [provider, kind, `onnxruntime-${runtimeVersion()}`, `graph-${graphVersion}`, `threads-${threads}`].join('/');
}

/** The CPU's name, with its architecture. */
export function cpuDevice(): string {
  return `${cpus()[0]?.model.trim() ?? 'CPU'} ${process.arch}`;
}

/** Bytes this process may use: what its container allows, or else the machine has. */
export function availableMemory(): number {
  const allowed = process.constrainedMemory();
  return allowed > 0 && allowed < totalmem() ? allowed : totalmem();
}

/** What this worker can do. */
export function capabilitiesOf(
  settings: SessionSettings,
  device: string,
  memory: number,
  providers: readonly string[],
  checkpoints: readonly string[],
  version: string,
): Capabilities {
  return {
    device,
    memory,
    providers: [settings.provider, ...providers.filter((provider) => provider !== settings.provider)],
    numerics: numericsClass(settings, device),
    graph: graphVersion,
    checkpoints,
    version,
    units: ['denoise', 'encode', 'image'],
  };
}
