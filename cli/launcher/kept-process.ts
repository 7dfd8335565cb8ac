import { type ChildProcess, fork } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { backoff } from '../../worker/run/backoff.ts';

/** A program of the fleet and how it is run. */
export interface ProgramSpec {
  readonly name: string;
  /** Compiled module, from the root of dist/. */
  readonly module: string;
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** Its output is added to this file. */
  readonly log: string;
}

/** Exit codes that a restart cannot mend: wrong settings, a busy port (2); a program that cannot be run (126, 127). */
const lastingExits: readonly number[] = [2, 126, 127];

/** Signals that a program brings on itself wherever it runs on this machine. */
const lastingSignals: readonly NodeJS.Signals[] = ['SIGILL', 'SIGSYS'];

/** Milliseconds after which a program that runs counts as started, and the next back-off is a first one. */
const steadyMs = 30_000;

/** A process that is started again when it ends, later each time, until it is stopped. */
export class KeptProcess {
  readonly #spec: ProgramSpec;
  readonly #tell: (text: string) => void;
  #child: ChildProcess | undefined;
  #exit: Promise<void> = Promise.resolve();
  #stopping = false;
  #timer: NodeJS.Timeout | undefined;
  #attempt = 0;
  #begun = false;
  /** Bytes of the log before it was started last: its own words come after them. */
  #started = 0;
  #fail: (error: LetheError) => void = () => undefined;
  /** Rejects if it is no use to start it again. */
  readonly failed: Promise<never>;

  private constructor(spec: ProgramSpec, tell: (text: string) => void) {
    this.#spec = spec;
    this.#tell = tell;
    this.failed = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    this.failed.catch(() => undefined);
  }

  /** @param tell is told when it ends and is started again */
  static async start(spec: ProgramSpec, tell: (text: string) => void): Promise<KeptProcess> {
    const kept = new KeptProcess(spec, tell);
    await kept.#spawn();
    return kept;
  }

  /** Lets it end in order, and waits until it has. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    this.#child?.kill('SIGTERM');
    await this.#exit;
  }

  /** It has come to work. Until then its end is final: what keeps a program from starting keeps it the next time too. */
  hasBegun(): void {
    this.#begun = true;
  }

  /** Ends it at once. */
  kill(): void {
    this.#stopping = true;
    clearTimeout(this.#timer);
    this.#child?.kill('SIGKILL');
  }

  async #spawn(): Promise<void> {
    const { module, args, environment, log } = this.#spec;
    const file = await open(log, 'a', 0o600);
    this.#started = (await file.stat()).size;
    const started = performance.now();
    const child = fork(fileURLToPath(new URL(`../../${module}`, import.meta.url)), [...args], {
      detached: true,
      env: environment,
      execArgv: ['--import', new URL('./leash.js', import.meta.url).href],
      stdio: ['ignore', file.fd, file.fd, 'ipc'],
    });
    this.#child = child;
    this.#exit = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#child = undefined;
        this.#ended(code, signal, performance.now() - started);
        resolve();
      });
      child.once('error', (error) => {
        if (!this.#stopping) void this.#failure(error.message).then(this.#fail);
        resolve();
      });
    });
    await file.close();
  }

  #ended(code: number | null, signal: NodeJS.Signals | null, ms: number): void {
    if (this.#stopping) return;
    const how = signal ?? `exit code ${code ?? 'unknown'}`;
    if (this.#isFinal(code, signal)) {
      void this.#failure(how).then(this.#fail);
      return;
    }
    if (ms > steadyMs) this.#attempt = 0;
    const wait = backoff(this.#attempt, Math.random);
    this.#attempt += 1;
    this.#tell(`${this.#spec.name} ended (${how}); it is started again (log: ${this.#spec.log})`);
    this.#timer = setTimeout(() => {
      this.#spawn().catch((error: unknown) => {
        void this.#failure(String(error)).then(this.#fail);
      });
    }, wait);
  }

  #isFinal(code: number | null, signal: NodeJS.Signals | null): boolean {
    if (signal !== null) return lastingSignals.includes(signal);
    return !this.#begun || code === null || lastingExits.includes(code);
  }

  async #failure(how: string): Promise<LetheError> {
    return new LetheError('fleet-failed', {
      what: `the ${this.#spec.name} does not run`,
      why: `it ended (${how})${await lastWords(this.#spec.log, this.#started)}`,
      where: this.#spec.log,
      next: 'correct that and start again; what was finished is stored',
    });
  }
}

/** What a process has said last: the last line of JSON if there is one, else the line that tells of an error. */
async function lastWords(log: string, from: number): Promise<string> {
  const text = (await readFile(log).catch(() => Buffer.alloc(0))).subarray(from).toString('utf8');
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  for (const line of lines.toReversed()) {
    const { msg, next } = parsed(line);
    if (msg !== undefined) return `: ${msg}${next === undefined ? '' : `; ${next}`}`;
  }
  // A stack of Node's: the error comes before its frames.
  const told = lines.find((line) => /\b\w*Error\b.*:/.test(line)) ?? lines.at(-1);
  return told === undefined ? '' : `: ${told.trim()}`;
}

function parsed(line: string): { readonly msg?: string; readonly next?: string } {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
