import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Memory of a process, in bytes. */
export interface ProcessMemory {
  /** The most it ever had resident, mapped weights included. */
  readonly peakResident: number;
  /** What JavaScript holds now: objects and buffers. Weights that are copied through JavaScript would show here. */
  readonly javascript: number;
}

export function ownMemory(): ProcessMemory {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { peakResident: 1024 * process.resourceUsage().maxRSS, javascript: heapUsed + arrayBuffers };
}

/** Runs a probe of this bench in a process of its own and returns what it reports. */
export async function probe(
  name: string,
  ...parameters: readonly string[]
): Promise<Readonly<Record<string, unknown>>> {
  const main = fileURLToPath(new URL('./main.js', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [main, name, ...parameters, '--json']);
  const last = stdout.trimEnd().split('\n').at(-1) ?? '{}';
  return JSON.parse(last) as Readonly<Record<string, unknown>>;
}

/** A probe's figure. */
export function figure(report: Readonly<Record<string, unknown>>, key: string): number {
  const value = report[key];
  return typeof value === 'number' ? value : NaN;
}

export const mebibytes = (bytes: number): number => Math.round(bytes / 2 ** 20);
