import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { LetheError } from '../../shared/error/lethe-error.ts';

/** A line of a process's log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string };

/** A coordinator or worker as its own process, whose log is read as it comes. */
export class LoggedProcess {
  readonly child: ChildProcess;
  readonly lines: LogLine[] = [];
  /** Its exit code, when it has ended; null if a signal ended it. */
  readonly exit: Promise<number | null>;
  readonly #script: string;
  #waiting: (() => void)[] = [];
  #over = false;

  /** @param script from the folder of what is compiled, such as `worker/run/main.js` */
  constructor(script: string, flags: readonly string[]) {
    this.#script = script;
    const path = join(fileURLToPath(new URL('../..', import.meta.url)), script);
    const child = spawn(process.execPath, [path, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.child = child;
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.lines.push(JSON.parse(line) as LogLine);
      this.#changed();
    });
    this.exit = new Promise((resolve) => {
      child.on('exit', (code) => {
        this.#over = true;
        this.#changed();
        resolve(code);
      });
    });
  }

  /**
   * The first line that matches, now or later; or the one of that number, from 0.
   *
   * @throws LetheError `fleet-lost` if the process ends before.
   */
  async logged(matches: (line: LogLine) => boolean, number = 0): Promise<LogLine> {
    for (;;) {
      const found = this.lines.filter(matches)[number];
      if (found !== undefined) return found;
      if (this.#over)
        throw new LetheError('fleet-lost', {
          what: 'a process ended too early',
          where: this.#script,
          why: `its log says\n${this.lines.map((line) => JSON.stringify(line)).join('\n')}`,
          next: 'look for the first error in it',
        });
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
