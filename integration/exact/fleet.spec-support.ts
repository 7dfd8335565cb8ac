import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bus } from '../../shared/bus/bus.ts';
import { connectBus } from '../../shared/bus/connect.ts';
import { type NatsBinary, findNatsServer } from '../../shared/bus/server/find-nats-server.ts';
import { type RunningServer, runNatsServer } from '../../shared/bus/server/run-nats-server.ts';
import { type LoggedProcess, startCoordinator, startWorker } from './processes.spec-support.ts';
import { SweepClient } from './sweep.spec-support.ts';

/** A coordinator that listens, and a client of it. */
export interface Coordinator {
  readonly name: string;
  readonly process: LoggedProcess;
  readonly address: string;
  readonly client: SweepClient;
}

/** NATS, coordinators and workers on an empty store: real processes, which end with the spec. */
export class Fleet {
  readonly #binary: NatsBinary;
  readonly #folder: string;
  #server: RunningServer;
  readonly #processes: LoggedProcess[] = [];
  readonly #clients: SweepClient[] = [];
  readonly #buses: Bus[] = [];

  private constructor(binary: NatsBinary, folder: string, server: RunningServer) {
    this.#binary = binary;
    this.#folder = folder;
    this.#server = server;
  }

  static async start(): Promise<Fleet> {
    const binary = await findNatsServer(process.env, () => undefined);
    const folder = await mkdtemp(join(tmpdir(), 'lethe-sweep-'));
    return new Fleet(binary, folder, await runNatsServer(binary, folder));
  }

  /** @param listen the address of one that was killed, to take its place */
  async coordinator(name: string, listen?: string): Promise<Coordinator> {
    const { process, address } = await startCoordinator(name, this.#server.address(name), listen);
    this.#processes.push(process);
    const client = new SweepClient(address);
    this.#clients.push(client);
    return { name, process, address, client };
  }

  worker(name: string, ...coordinators: readonly Coordinator[]): LoggedProcess {
    const worker = startWorker(
      name,
      coordinators.map(({ address }) => address),
    );
    this.#processes.push(worker);
    return worker;
  }

  async bus(): Promise<Bus> {
    const bus = await connectBus(this.#server.address('spec'));
    this.#buses.push(bus);
    return bus;
  }

  /** kill -9 of nats-server, and a new one on the same data and port. */
  async restartNats(): Promise<void> {
    const { port, pid, ended } = this.#server;
    process.kill(pid, 'SIGKILL');
    await ended;
    this.#server = await runNatsServer(this.#binary, this.#folder, port);
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    await Promise.all(this.#processes.map((each) => each.kill()));
    await Promise.all(this.#buses.map((bus) => bus.close()));
    await this.#server.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
