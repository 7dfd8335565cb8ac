import type { Client } from '@grpc/grpc-js';
import { type ClientDuplexStream, credentials, type ChannelCredentials } from '@grpc/grpc-js';
import { type CoordinatorMessage, type WorkerMessage, WorkServiceClient } from '../../gen/fleet/v1/work.ts';
import { clientOptions, namingProxy } from '../../shared/fleet/channel.ts';
import { requireAllowed, type Security } from '../../shared/fleet/security.ts';
import type { WorkerHello } from '../../shared/fleet/task.ts';
import { helloToMessage } from '../../shared/fleet/task-message.ts';
import { streamLost, writeDrained } from '../../shared/fleet/write-drained.ts';
import { backoff } from './backoff.ts';
import type { Clock } from './clock.ts';

type WorkStream = ClientDuplexStream<WorkerMessage, CoordinatorMessage>;

/** Who listens to a link. */
export interface LinkListener {
  /** What is said first on every stream. */
  hello(): WorkerHello;
  /** The first message is welcome. What it throws ends the stream. */
  onMessage(message: CoordinatorMessage): void;
  /** The stream is over; the next attempt is `wait` ms away, if there is one. */
  onLost(cause: unknown, wait: number | undefined): void;
}

/** A worker's way to its coordinators: one stream at a time, and another one when it ends, for ever. */
export class CoordinatorLink {
  readonly #addresses: readonly string[];
  readonly #security: Security;
  readonly #clock: Clock;
  readonly #random: () => number;
  #attempts = 0;
  #failures = 0;
  #stream: WorkStream | undefined;
  #client: Client | undefined;
  #closed = false;
  #cancelWait = (): void => undefined;

  /**
   * @param addresses `host:port`, tried in turn
   * @throws LetheError `usage` for plain text beyond loopback.
   */
  constructor(addresses: readonly string[], security: Security, clock: Clock, random: () => number) {
    const next = 'give --tls-authority, --tls-certificate and --tls-key, or work on the machine of a coordinator';
    for (const address of addresses) requireAllowed(security, address, next);
    this.#addresses = addresses;
    this.#security = security;
    this.#clock = clock;
    this.#random = random;
  }

  /** Connects, now and whenever the stream is lost. */
  open(listener: LinkListener): void {
    if (this.#closed) return;
    const address = this.#addresses[this.#attempts % this.#addresses.length] ?? '';
    this.#attempts += 1;
    // A client of its own for every attempt: when to try again is decided here, not by the channel's own waiting.
    const options = { ...clientOptions(address), 'grpc.use_local_subchannel_pool': 1 };
    const client = new WorkServiceClient(address, credentialsOf(this.#security), options);
    const stream = client.work();
    this.#client = client;
    this.#stream = stream;
    let lost = false;
    const lose = (cause: unknown): void => {
      if (lost) return;
      lost = true;
      stream.cancel();
      client.close();
      this.#stream = undefined;
      const wait = this.#closed ? undefined : backoff(this.#failures, this.#random);
      this.#failures += 1;
      if (wait !== undefined)
        this.#cancelWait = this.#clock.after(wait, () => {
          this.open(listener);
        });
      listener.onLost(namingProxy(address, cause, process.env), wait);
    };
    stream.on('data', (message: CoordinatorMessage) => {
      if (lost) return;
      if (message.message?.$case === 'welcome') this.#failures = 0;
      try {
        listener.onMessage(message);
      } catch (error) {
        lose(error);
      }
    });
    stream.on('error', lose);
    stream.on('end', () => {
      lose(streamLost(undefined));
    });
    stream.write({ message: { $case: 'hello', value: helloToMessage(listener.hello()) } });
  }

  /** Says something small. False if nobody hears it: what must be heard is said again after the next welcome. */
  say(message: WorkerMessage): boolean {
    if (this.#stream === undefined) return false;
    this.#stream.write(message);
    return true;
  }

  /** Sends something large as fast as the coordinator reads. @throws LetheError `fleet-lost` */
  async send(message: WorkerMessage): Promise<void> {
    if (this.#stream === undefined) throw streamLost(undefined);
    await writeDrained(this.#stream, message);
  }

  /** Says what is still to be said, and is over; resolves when the coordinator has ended the stream, or `ms` passed. */
  async close(ms: number): Promise<void> {
    this.#closed = true;
    this.#cancelWait();
    const stream = this.#stream;
    if (stream !== undefined) {
      await new Promise<void>((resolve) => {
        const cancel = this.#clock.after(ms, resolve);
        stream.once('close', () => {
          cancel();
          resolve();
        });
        stream.once('status', () => {
          cancel();
          resolve();
        });
        stream.end();
      });
      stream.cancel();
    }
    this.#client?.close();
  }
}

function credentialsOf(security: Security): ChannelCredentials {
  if (security.kind === 'plain-text-loopback') return credentials.createInsecure();
  return credentials.createSsl(security.authority, security.key, security.certificate);
}
