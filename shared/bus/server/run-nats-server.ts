import { type ChildProcess, fork } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { LetheError } from '../../error/lethe-error.ts';
import { type BusAddress, connectBus } from '../connect.ts';
import type { NatsBinary } from './find-nats-server.ts';
import type { KeeperReport } from './keeper-report.ts';
import { logFile } from './server-config.ts';

/** A nats-server that this process started. */
export interface RunningServer {
  readonly port: number;
  /** Of nats-server itself. */
  readonly pid: number;
  /** How a client of this machine reaches it. */
  address(clientName: string): BusAddress;
  /** Resolves when the server has ended: undefined if it was stopped, else why. */
  readonly ended: Promise<LetheError | undefined>;
  /** Lets it end in order, and waits until it has. */
  stop(): Promise<void>;
}

/** JetStream reads its streams back before it answers; on a large folder that takes a while. */
const readyMs = 60_000;

/**
 * Starts nats-server on loopback with its data in `folder`, and waits until it answers. It ends with this process, also
 * when that is killed (see keeper.ts), and does not keep it alive.
 *
 * @param port the one it had before, so that clients come back after a restart; any free one by default.
 * @throws LetheError `nats-server-failed` if it does not start, or runs on that folder already.
 */
export async function runNatsServer(binary: NatsBinary, folder: string, port = -1): Promise<RunningServer> {
  const data = resolve(folder);
  const keeper = fork(fileURLToPath(new URL('./keeper.js', import.meta.url)), [binary.path, data, String(port)], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    execArgv: [],
  });
  const server = new KeptServer(keeper, data);
  try {
    await server.ready();
    return server;
  } catch (cause) {
    await server.stop();
    throw cause;
  }
}

/** Milliseconds that a server without its keeper has to end in order. */
const orphanMs = 10_000;
const pollMs = 10;

/** Ended, and not yet fetched by its parent: in a container without an init it stays so. */
async function isZombie(pid: number): Promise<boolean> {
  return /\) [ZX] /.test(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''));
}

/** False if the process has gone. */
function tell(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

class KeptServer implements RunningServer {
  readonly #keeper: ChildProcess;
  readonly #folder: string;
  readonly #listening: Promise<KeeperReport & { kind: 'listening' }>;
  readonly ended: Promise<LetheError | undefined>;
  #stopping = false;
  port = 0;
  pid = 0;
  #token = '';

  constructor(keeper: ChildProcess, folder: string) {
    this.#keeper = keeper;
    this.#folder = folder;
    let last: KeeperReport | undefined;
    this.ended = new Promise((done) => {
      keeper.once('exit', () => {
        const orphan = last?.kind === 'listening' ? this.#endOrphan() : Promise.resolve();
        void orphan.then(() => this.#failure(last)).then(done);
      });
    });
    this.#listening = new Promise((found, fail) => {
      keeper.on('message', (message: KeeperReport) => {
        last = message;
        if (message.kind === 'listening') found(message);
      });
      void this.ended.then((error) => {
        fail(error ?? this.#error('it was stopped before it answered'));
      });
    });
  }

  async ready(): Promise<void> {
    const { port, pid, token } = await this.#listening;
    [this.port, this.pid, this.#token] = [port, pid, token];
    const bus = await connectBus(this.address('launcher'), { totalMs: readyMs, requestMs: 5_000 });
    try {
      await bus.api('INFO');
    } catch (cause) {
      throw bus.explain('cannot start nats-server', cause);
    } finally {
      await bus.close();
    }
    // The launcher ends when it has nothing else to do, and the server with it.
    this.#keeper.unref();
    this.#keeper.channel?.unref();
  }

  address(clientName: string): BusAddress {
    const credentials = { kind: 'token', token: this.#token } as const;
    return { servers: [`127.0.0.1:${this.port}`], clientName, credentials };
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#keeper.ref();
    // A keeper that ends at this very moment cannot be told any more (EPIPE): its end is awaited below all the same.
    if (this.#keeper.connected) this.#keeper.send('stop', () => undefined);
    await this.ended;
  }

  /** A keeper that was killed leaves its server: it has gone, with all that it writes to the folder, when this resolves. */
  async #endOrphan(): Promise<void> {
    const deadline = performance.now() + orphanMs;
    for (let first = true; tell(this.pid, first ? 'SIGTERM' : 0) && !(await isZombie(this.pid)); first = false) {
      if (performance.now() > deadline) tell(this.pid, 'SIGKILL');
      await after(pollMs);
    }
  }

  async #failure(last: KeeperReport | undefined): Promise<LetheError | undefined> {
    if (this.#stopping) return undefined;
    if (last?.kind === 'failed') return this.#error(last.why);
    const how =
      last?.kind === 'ended' ? (last.signal ?? `exit code ${last.code ?? 'unknown'}`) : 'its keeper was killed';
    return this.#error(`it ended (${how})${await this.#lastWords()}`);
  }

  /** The errors at the end of the log: `[pid] date time [FTL] text`. */
  async #lastWords(): Promise<string> {
    const log = await readFile(join(this.#folder, logFile), 'utf8').catch(() => '');
    const error = log.split('\n').findLast((line) => /\[(?:ERR|FTL)\]/.test(line));
    return error === undefined ? '' : `: ${error.replace(/^.*\[(?:ERR|FTL)\] /, '')}`;
  }

  #error(why: string): LetheError {
    return new LetheError('nats-server-failed', {
      what: 'nats-server does not run',
      where: this.#folder,
      why,
      next: `look at ${join(this.#folder, logFile)}`,
    });
  }
}
