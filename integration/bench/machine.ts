import { cpus } from 'node:os';

/** What figures were measured on, as their report names it. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** Version of Node. */
  readonly node: string;
}

/** The machine that this process runs on. */
export function thisMachine(): Machine {
  return { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version };
}
