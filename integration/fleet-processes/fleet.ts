import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { emojiSdDirectory } from '../../cli/default-checkpoint.ts';
import type { Bus } from '../../shared/bus/bus.ts';
import { connectBus } from '../../shared/bus/connect.ts';
import { type NatsBinary, findNatsServer } from '../../shared/bus/server/find-nats-server.ts';
import { type RunningServer, runNatsServer } from '../../shared/bus/server/run-nats-server.ts';
import { logFile } from '../../shared/bus/server/server-config.ts';
import { LoggedProcess } from './logged-process.ts';
import { SweepClient } from './sweep-client.ts';

/** A coordinator that listens, and a client of it. */
export interface Coordinator {
  readonly name: string;
  readonly process: LoggedProcess;
  readonly address: string;
  readonly client: SweepClient;
}

/** Flags of processes beside names and addresses. */
export interface FleetFlags {
  readonly coordinator: readonly string[];
  readonly worker: readonly string[];
}

/** NATS, coordinators and workers with emoji-sd on an empty store: real processes, which end with whoever started them. */
export class Fleet {
  readonly #binary: NatsBinary;
  readonly #folder: string;
  readonly #flags: FleetFlags;
  #server: RunningServer;
  readonly #processes: { readonly name: string; readonly process: LoggedProcess }[] = [];
  readonly #clients: SweepClient[] = [];
  readonly #buses: Bus[] = [];

  private constructor(binary: NatsBinary, folder: string, flags: FleetFlags, server: RunningServer) {
    this.#binary = binary;
    this.#folder = folder;
    this.#flags = flags;
    this.#server = server;
  }

  /** Starts NATS. @param path of a program in the place of nats-server, until it is started again */
  static async start(flags: FleetFlags, path?: string): Promise<Fleet> {
    const binary = await findNatsServer(process.env, () => undefined);
    const folder = await mkdtemp(join(tmpdir(), 'lethe-sweep-'));
    return new Fleet(binary, folder, flags, await runNatsServer({ ...binary, path: path ?? binary.path }, folder));
  }

  /**
   * A coordinator that may not come to listen.
   *
   * @param listen the address of one that was killed, to take its place
   * @param more flags of this one alone
   */
  startCoordinator(name: string, listen = '127.0.0.1:0', more: readonly string[] = []): LoggedProcess {
    const { servers, credentials } = this.#server.address(name);
    const token = credentials?.kind === 'token' ? ['--nats-token', credentials.token] : [];
    const flags = ['--name', name, '--nats', servers.join(','), '--listen', listen, '--insecure', 'true'];
    return this.#start('coordinator', name, [...flags, ...token, ...this.#flags.coordinator, ...more]);
  }

  /** One that listens. */
  async coordinator(name: string, listen?: string, more?: readonly string[]): Promise<Coordinator> {
    const started = this.startCoordinator(name, listen, more);
    const address = String((await started.logged(({ msg }) => msg === 'listening'))['address']);
    const client = new SweepClient(address);
    this.#clients.push(client);
    return { name, process: started, address, client };
  }

  worker(name: string, ...coordinators: readonly Coordinator[]): LoggedProcess {
    return this.workerWith(emojiSdDirectory, name, ...coordinators);
  }

  /** @param checkpoint directory of the one that it holds */
  workerWith(checkpoint: string, name: string, ...coordinators: readonly Coordinator[]): LoggedProcess {
    const addresses = coordinators.map(({ address }) => address).join(',');
    const flags = ['--name', name, '--coordinator', addresses, '--insecure', 'true', '--checkpoint', checkpoint];
    return this.#start('worker', name, [...flags, ...this.#flags.worker]);
  }

  async bus(): Promise<Bus> {
    const bus = await connectBus(this.#server.address('observer'));
    this.#buses.push(bus);
    return bus;
  }

  /** kill -9 of nats-server. */
  async killNats(): Promise<void> {
    const { pid, ended } = this.#server;
    process.kill(pid, 'SIGKILL');
    await ended;
  }

  /** A new nats-server on the data and port of the one that was killed. */
  async startNats(): Promise<void> {
    this.#server = await runNatsServer(this.#binary, this.#folder, this.#server.port);
  }

  /** What its processes have logged so far, a file each: `c1.log`, `nats.log`. Of one that was started again, both lives. */
  async saveLogs(folder: string): Promise<void> {
    await mkdir(folder, { recursive: true });
    for (const { name, process: each } of this.#processes) {
      const text = each.lines.map((line) => `${JSON.stringify(line)}\n`).join('');
      await writeFile(join(folder, `${name}.log`), text, { flag: 'a' });
    }
    await copyFile(join(this.#folder, logFile), join(folder, 'nats.log'));
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    await Promise.all(this.#processes.map((each) => each.process.kill()));
    await Promise.all(this.#buses.map((bus) => bus.close()));
    await this.#server.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #start(side: 'coordinator' | 'worker', name: string, flags: readonly string[]): LoggedProcess {
    const started = new LoggedProcess(join(side, 'run', 'main.js'), flags);
    this.#processes.push({ name, process: started });
    return started;
  }
}
