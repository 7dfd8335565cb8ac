import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { FleetClient } from '../fleet/fleet-client.ts';
import { coordinatorKeys } from './coordinator-keys.ts';
import { removeNote, writeNote } from './fleet-note.ts';
import { KeptProcess } from './kept-process.ts';
import { type KeptNats, keepNats } from './kept-nats.ts';
import { runningFleet } from './running-fleet.ts';
import { makeFolder } from '../../shared/lock/make-folder.ts';

/** A fleet on this machine. */
export interface FleetSetup {
  /** Folder of its NATS data and logs. */
  readonly data: string;
  readonly workers: number;
  /** Directories of the checkpoints that its workers hold. */
  readonly checkpoints: readonly string[];
  /** Port of the coordinator; 0 for any free one. */
  readonly port: number;
  /** Of the coordinator's metrics; those of its workers come after it. Without one there are none. */
  readonly metricsPort?: number | undefined;
  /** Of the launcher; its LETHE_* settings reach the workers. */
  readonly environment: NodeJS.ProcessEnv;
}

/** A fleet that this process has started. It ends with this process, also when that is killed. */
export interface LocalFleet {
  /** Where its coordinator listens. */
  readonly address: string;
  /** Rejects if a part of it cannot go on. */
  readonly failed: Promise<never>;
  /** Lets workers finish or hand back what they run, then ends the coordinator, then NATS. */
  stop(): Promise<void>;
  /** Ends everything at once; nothing that was committed is lost. */
  kill(): void;
}

/** Settings that belong to one process: several workers cannot share them. */
const ownSettings = [
  'LETHE_METRICS_PORT',
  'LETHE_NAME',
  'LETHE_LISTEN',
  'LETHE_COORDINATOR',
  'LETHE_MEMORY_CLASS',
  // The coordinator's alone.
  'LETHE_SIGNING_KEY',
];

/** Milliseconds a coordinator and its workers have to be ready: they open checkpoints and load no model. */
const readyMs = 120_000;
const pollMs = 50;

/**
 * Starts NATS, a coordinator and workers on loopback, and waits until the coordinator answers and lists every worker.
 *
 * @param tell is told what happens on the way, a line each
 * @throws LetheError `fleet-running` if one runs in that folder, `key-invalid`, `nats-server-missing`, `nats-server-failed`, `write-failed`,
 *   or `fleet-failed` naming the log.
 */
export async function startLocalFleet(setup: FleetSetup, tell: (text: string) => void): Promise<LocalFleet> {
  const { data, workers } = setup;
  const running = await runningFleet(data);
  if (running !== undefined) throw alreadyRunning(data, running.pid, running.coordinator);
  const logs = join(data, 'log');
  await makeFolder(logs);
  const environment = Object.fromEntries(
    Object.entries(setup.environment).filter(([name]) => !ownSettings.includes(name)),
  );
  const keys = await coordinatorKeys(data, setup.environment);
  const address = `127.0.0.1:${setup.port === 0 ? await freePort() : setup.port}`;

  const processes: KeptProcess[] = [];
  const nats = await keepNats(storedIn(data), setup.environment, tell);
  const fleet = new StartedFleet(data, address, nats, processes);
  try {
    const checkpoint = setup.checkpoints.length === 0 ? [] : ['--checkpoint', setup.checkpoints.join(',')];
    const { server, token } = nats;
    const plain = ['--insecure', 'true'];
    const run = async (name: string, module: string, args: readonly string[], more = {}): Promise<void> => {
      const log = join(logs, `${name}.log`);
      const spec = { name, module, args: [...args, '--name', name, ...checkpoint, ...plain], log };
      processes.push(await KeptProcess.start({ ...spec, environment: { ...environment, ...more } }, tell));
    };
    // The token in the environment: arguments are seen by every user of the machine.
    const metrics = (i: number): readonly string[] =>
      setup.metricsPort === undefined ? [] : ['--metrics-port', String(setup.metricsPort + i)];
    await run('coordinator', 'coordinator/run/main.js', ['--nats', server, '--listen', address, ...metrics(0)], {
      LETHE_NATS_TOKEN: token,
      ...keys,
    });
    for (let i = 1; i <= workers; i++)
      await run(`worker-${i}`, 'worker/run/main.js', ['--coordinator', address, ...metrics(i)]);
    const over = new AbortController();
    await Promise.race([ready(address, workers, join(logs, 'coordinator.log'), over.signal), fleet.failed]).finally(
      () => {
        over.abort();
      },
    );
    for (const each of processes) each.hasBegun();
    await writeNote(data, { pid: process.pid, coordinator: address, workers, nats: { server, token } });
    return fleet;
  } catch (error) {
    fleet.kill();
    await fleet.stop();
    throw error;
  }
}

class StartedFleet implements LocalFleet {
  readonly address: string;
  readonly #data: string;
  readonly #nats: KeptNats;
  /** The coordinator, then the workers. */
  readonly #processes: readonly KeptProcess[];

  constructor(data: string, address: string, nats: KeptNats, processes: readonly KeptProcess[]) {
    this.#data = data;
    this.address = address;
    this.#nats = nats;
    this.#processes = processes;
  }

  get failed(): Promise<never> {
    return Promise.race([this.#nats.failed, ...this.#processes.map(({ failed }) => failed)]);
  }

  async stop(): Promise<void> {
    const [coordinator, ...workers] = this.#processes;
    await Promise.all(workers.map((worker) => worker.stop()));
    await coordinator?.stop();
    await this.#nats.stop();
    await removeNote(this.#data);
  }

  kill(): void {
    for (const process of this.#processes) process.kill();
  }
}

/** Waits until the coordinator answers and all workers are connected, or nobody waits for it any more. */
async function ready(address: string, workers: number, log: string, over: AbortSignal): Promise<void> {
  const client = new FleetClient(address);
  const deadline = performance.now() + readyMs;
  try {
    for (;;) {
      const found = await client.workers(1000).catch(() => undefined);
      if (over.aborted || (found !== undefined && found.length >= workers)) return;
      if (performance.now() > deadline)
        throw new LetheError('fleet-failed', {
          what: 'the fleet does not become ready',
          where: log,
          why:
            found === undefined
              ? `the coordinator does not answer at ${address}`
              : `${found.length} of ${workers} workers are connected`,
          next: 'look at the logs beside it; `lethe doctor` checks this machine',
        });
      await after(pollMs);
    }
  } finally {
    client.close();
  }
}

/** A port of loopback that is free now. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        resolve(typeof address === 'object' ? (address?.port ?? 0) : 0);
      });
    });
  });
}

function alreadyRunning(data: string, pid: number, coordinator: string): LetheError {
  return new LetheError('fleet-running', {
    what: 'a fleet runs already',
    where: data,
    why: `process ${pid} runs it, with its coordinator at ${coordinator}`,
    next: 'use it (`lethe sweep` and the others find it), end it with `lethe down`, or give another folder with --data',
  });
}

/** What a local fleet has stored. @param data its folder */
export function storedIn(data: string): string {
  return join(data, 'nats');
}
