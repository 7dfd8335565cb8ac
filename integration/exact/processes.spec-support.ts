import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { BusAddress } from '../../shared/bus/connect.ts';

/** A line of a process's log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string };

/** A coordinator or worker as its own process, whose log is read as it comes. */
export class LoggedProcess {
  readonly child: ChildProcess;
  readonly lines: LogLine[] = [];
  #waiting: (() => void)[] = [];
  #over = false;

  constructor(script: readonly string[], flags: readonly string[]) {
    this.child = spawn(process.execPath, [join('dist', ...script), ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
    const { stdout } = this.child;
    if (stdout === null) throw new Error('no output to read');
    createInterface({ input: stdout }).on('line', (line) => {
      this.lines.push(JSON.parse(line) as LogLine);
      this.#changed();
    });
    this.child.on('exit', () => {
      this.#over = true;
      this.#changed();
    });
  }

  /** The first line that matches, now or later; or the one of that number, from 0. */
  async logged(matches: (line: LogLine) => boolean, number = 0): Promise<LogLine> {
    for (;;) {
      const found = this.lines.filter(matches)[number];
      if (found !== undefined) return found;
      if (this.#over)
        throw new Error(`the process ended: ${this.lines.map((line) => JSON.stringify(line)).join('\n')}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exit = once(this.child, 'exit');
    this.child.kill(signal);
    await exit;
  }

  #changed(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** Milliseconds a silent lease lasts here: short, so that what was killed is noticed soon. */
export const leaseMs = 3_000;

export async function startCoordinator(
  name: string,
  { servers, credentials }: BusAddress,
  listen = '127.0.0.1:0',
): Promise<{ readonly process: LoggedProcess; readonly address: string }> {
  const token = credentials?.kind === 'token' ? ['--nats-token', credentials.token] : [];
  const flags = ['--name', name, '--nats', servers.join(','), '--listen', listen, '--insecure', 'true'];
  const settings = ['--lease', String(leaseMs), '--log-level', 'debug', '--score-threads', '1'];
  const started = new LoggedProcess(['coordinator', 'run', 'main.js'], [...flags, ...token, ...settings]);
  const { address } = await started.logged(({ msg }) => msg === 'listening');
  return { process: started, address: String(address) };
}

/** A worker with emoji-sd, of one numerics class on whatever machine. */
export function startWorker(name: string, coordinators: readonly string[]): LoggedProcess {
  const flags = ['--name', name, '--coordinator', coordinators.join(','), '--insecure', 'true'];
  const settings = ['--checkpoint', join('checkpoint', 'emoji-sd'), '--device', 'spec', '--slots', '1'];
  return new LoggedProcess(['worker', 'run', 'main.js'], [...flags, ...settings]);
}
