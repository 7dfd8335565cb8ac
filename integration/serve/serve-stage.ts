import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { emojiSdDirectory } from '../../cli/default-checkpoint.ts';
import { fileKeyring } from '../../coordinator/publish/keyring.ts';
import type { ManifestChange } from '../../coordinator/publish/manifest-change.ts';
import { publishChange, type Published } from '../../coordinator/publish/publish-change.ts';
import { publishMask } from '../../coordinator/publish/publish-mask.ts';
import { openStore, type Store } from '../../coordinator/store/store.ts';
import type { Bus } from '../../shared/bus/bus.ts';
import { connectBus } from '../../shared/bus/connect.ts';
import { listServers, type ServerPresence } from '../../shared/bus/presence.ts';
import { type NatsBinary, findNatsServer } from '../../shared/bus/server/find-nats-server.ts';
import { type RunningServer, runNatsServer } from '../../shared/bus/server/run-nats-server.ts';
import { checkpointId } from '../../shared/checkpoint/checkpoint-id.ts';
import { type Checkpoint, openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { createSigningKey, type SigningKey } from '../../shared/manifest/signing-key.ts';
import { trustListText } from '../../shared/manifest/trust-list.ts';
import type { Mask } from '../../shared/mask/mask.ts';
import { LoggedProcess, type LogLine } from '../fleet-processes/logged-process.ts';

/** A serving process and where it listens. */
export interface Serving {
  readonly name: string;
  readonly url: string;
  readonly process: LoggedProcess;
}

const leaseMs = 30_000;

/**
 * NATS, keys, and serving processes of emoji-sd; masks are published as coordinators do, or by a coordinator. Everything ends
 * with `stop`.
 */
export class ServeStage {
  readonly folder: string;
  readonly checkpoint: Checkpoint;
  /** Id of the checkpoint. */
  readonly id: string;
  readonly key: SigningKey;
  readonly #binary: NatsBinary;
  readonly #buses: Bus[] = [];
  readonly #processes: LoggedProcess[] = [];
  #server: RunningServer;
  #store: Store | undefined;

  private constructor(
    folder: string,
    checkpoint: Checkpoint,
    id: string,
    key: SigningKey,
    binary: NatsBinary,
    server: RunningServer,
  ) {
    this.folder = folder;
    this.checkpoint = checkpoint;
    this.id = id;
    this.key = key;
    this.#binary = binary;
    this.#server = server;
  }

  static async start(): Promise<ServeStage> {
    const binary = await findNatsServer(process.env, () => undefined);
    const folder = await mkdtemp(join(tmpdir(), 'lethe-serve-'));
    const key = await createSigningKey(join(folder, 'signing.pem'));
    const trusted = { id: key.id, key: key.publicKey, state: 'active', since: new Date().toISOString() } as const;
    await writeFile(join(folder, 'trust.json'), trustListText({ keys: [trusted] }), { mode: 0o644 });
    const checkpoint = await openCheckpoint(emojiSdDirectory);
    const id = await checkpointId(checkpoint);
    return new ServeStage(folder, checkpoint, id, key, binary, await runNatsServer(binary, join(folder, 'nats')));
  }

  async bus(): Promise<Bus> {
    const bus = await connectBus(this.#server.address('stage'));
    this.#buses.push(bus);
    return bus;
  }

  /** Sets the streams up, as the first coordinator does. */
  async store(): Promise<Store> {
    this.#store ??= await openStore(await this.bus(), 1, leaseMs);
    return this.#store;
  }

  /** Stores a mask as a candidate. @returns its hash */
  async addMask(mask: Mask): Promise<string> {
    return publishMask((await this.store()).masks, mask);
  }

  /** Makes exactly these masks active, by concept: what is not among them is restored. */
  async activate(masks: Readonly<Record<string, string>>, restore: readonly string[] = []): Promise<Published> {
    const apply = Object.entries(masks).map(([concept, mask]) => ({ concept, mask }));
    const change: ManifestChange = { kind: 'change', apply, restore };
    const cause = { who: 'spec', why: 'a change of the active set', force: true };
    return publishChange(
      {
        store: await this.store(),
        keyring: fileKeyring(join(this.folder, 'signing.pem'), join(this.folder, 'trust.json')),
        reportedVersion: () => Promise.resolve(0),
        now: () => new Date(),
        log: pino({ level: 'silent' }),
      },
      this.id,
      change,
      cause,
    );
  }

  /** Starts `lethe serve` and waits until it listens. The same name keeps its state. */
  async serve(name: string, flags: readonly string[] = []): Promise<Serving> {
    const own = ['--state', join(this.folder, name), '--port', '0', '--data', this.folder, '--json'];
    const started = this.#start(join('cli', 'main.js'), name, ['serve'], [...own, ...flags]);
    const { url } = await started.logged(({ msg }) => msg === 'listening');
    return { name, url: String(url), process: started };
  }

  /** Starts a coordinator that signs changes, and waits until it listens. @returns its address */
  async coordinator(name: string, flags: readonly string[] = []): Promise<string> {
    const own = ['--signing-key', join(this.folder, 'signing.pem'), '--insecure', 'true'];
    const started = this.#start(join('coordinator', 'run', 'main.js'), name, [], [...own, ...flags]);
    return String((await started.logged(({ msg }) => msg === 'listening'))['address']);
  }

  /** Waits until a process makes images under a version. @returns the line of its log that says so */
  async served({ process: started }: Serving, version: number): Promise<LogLine> {
    return started.logged((line) => line.msg === 'serving a set of masks' && line['version'] === version);
  }

  async servers(): Promise<readonly ServerPresence[]> {
    return listServers(this.#buses[0] ?? (await this.bus()), this.id);
  }

  async killNats(): Promise<void> {
    process.kill(this.#server.pid, 'SIGKILL');
    await this.#server.ended;
  }

  async restartNats(): Promise<void> {
    this.#server = await runNatsServer(this.#binary, join(this.folder, 'nats'), this.#server.port);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#processes.map((each) => each.kill()));
    await Promise.all(this.#buses.map((bus) => bus.close()));
    await this.#server.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  #start(script: string, name: string, command: readonly string[], flags: readonly string[]): LoggedProcess {
    const { servers, credentials } = this.#server.address(name);
    const token = credentials?.kind === 'token' ? ['--nats-token', credentials.token] : [];
    const nats = ['--nats', servers.join(','), ...token, '--trust-list', join(this.folder, 'trust.json')];
    const started = new LoggedProcess(script, [...command, ...nats, '--name', name, ...flags]);
    this.#processes.push(started);
    return started;
  }
}
