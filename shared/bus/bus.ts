import { type Msg, type MsgHdrs, type NatsConnection, type Subscription, headers } from 'nats';
import { setTimeout as after } from 'node:timers/promises';
import { ApiFailure, busError, isPassing } from './bus-error.ts';
import { Liveness } from './liveness.ts';

/** How long an operation may take while NATS does not answer. */
export interface Patience {
  /** Until the operation fails with `bus-unavailable`. */
  readonly totalMs: number;
  /** Until one request counts as unanswered and is made again. */
  readonly requestMs: number;
}

export const defaultPatience: Patience = { totalMs: 15_000, requestMs: 5_000 };

/** A message that was stored: its sequence in the stream. */
export interface Stored {
  readonly sequence: number;
}

/**
 * A connection to NATS, and the two ways of asking JetStream: its API and a publish that is confirmed. A request that
 * nobody answered is made again until the patience ends, so every operation built on this must mean the same when it is
 * done twice.
 *
 * The only part of shared/ that talks to a network, and with its folder the only importer of `nats`.
 */
export class Bus {
  readonly #connection: NatsConnection;
  readonly #where: string;
  readonly #patience: Patience;
  readonly #liveness: Liveness;

  constructor(connection: NatsConnection, where: string, patience: Patience) {
    this.#connection = connection;
    this.#where = where;
    this.#patience = patience;
    this.#liveness = new Liveness(connection);
  }

  /** Aborted when the present connection is lost; a new one has a signal of its own. */
  get connection(): AbortSignal {
    return this.#liveness.signal;
  }

  get isClosed(): boolean {
    return this.#connection.isClosed();
  }

  get requestMs(): number {
    return this.#patience.requestMs;
  }

  /** The largest message the server takes, in bytes. */
  get maxPayload(): number {
    return this.#connection.info?.max_payload ?? 2 ** 20;
  }

  /** `listener` is called after every reconnect, until the function returned is called. */
  onReconnect(listener: () => void): () => void {
    return this.#liveness.onReconnect(listener);
  }

  /**
   * Asks JetStream's API.
   *
   * @throws ApiFailure what it answered, where it is an error and not a passing one. LetheError `bus-unavailable`,
   * `bus-refused`.
   */
  async api<Answer>(path: string, body?: object): Promise<Answer> {
    const payload = body === undefined ? '' : JSON.stringify(body);
    return this.persist(`cannot ask JetStream for ${path}`, async () => {
      const message = await this.request(`$JS.API.${path}`, payload);
      return answerOf(message) as Answer;
    });
  }

  /**
   * Stores a message.
   *
   * @param expected last sequence on the subject that it must follow, 0 for none; any if undefined.
   * @throws as `api`; a broken expectation is an ApiFailure that `isConflict` tells.
   */
  async store(
    subject: string,
    bytes: Uint8Array,
    expected?: number,
    more: Readonly<Record<string, string>> = {},
  ): Promise<Stored> {
    return this.persist(`cannot store a message`, () => this.storeOnce(subject, bytes, expected, more));
  }

  /** `store` that fails when nobody answered, for messages that must not be stored twice. */
  async storeOnce(
    subject: string,
    bytes: Uint8Array,
    expected?: number,
    more: Readonly<Record<string, string>> = {},
  ): Promise<Stored> {
    const head = headers();
    if (expected !== undefined) head.set('Nats-Expected-Last-Subject-Sequence', String(expected));
    for (const [name, value] of Object.entries(more)) head.set(name, value);
    const { seq } = answerOf(await this.request(subject, bytes, head)) as { seq: number };
    return { sequence: seq };
  }

  /** One request on the present connection: it fails at once when that is lost. */
  async request(subject: string, payload: Uint8Array | string, head?: MsgHdrs): Promise<Msg> {
    this.#liveness.signal.throwIfAborted();
    const options = { timeout: this.#patience.requestMs, ...(head && { headers: head }) };
    return this.#liveness.unlessLost(this.#connection.request(subject, payload, options));
  }

  /** Waits until the server has seen all that was sent on the present connection. */
  async flush(): Promise<void> {
    await this.#liveness.unlessLost(this.#connection.flush());
  }

  /** Sends, and waits until the server has it. */
  async deliver(subject: string): Promise<void> {
    this.#liveness.signal.throwIfAborted();
    this.send(subject, '');
    await this.flush();
  }

  /** Sends without being told whether it arrived. */
  send(subject: string, payload: Uint8Array | string, reply?: string): void {
    this.#connection.publish(subject, payload, reply === undefined ? {} : { reply });
  }

  /** Subscribes to a subject, and again after every reconnect. */
  subscribe(subject: string, receive: (message: Msg) => void): Subscription {
    return this.#connection.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) receive(message);
      },
    });
  }

  /** Runs `operation` until it succeeds or fails for good, as long as the patience lasts. */
  async persist<T>(what: string, operation: () => Promise<T>): Promise<T> {
    const deadline = Date.now() + this.#patience.totalMs;
    for (let pauseMs = 20; ; pauseMs = Math.min(2 * pauseMs, 500)) {
      try {
        return await operation();
      } catch (cause) {
        const over = Date.now() + pauseMs > deadline || this.#connection.isClosed();
        if (isPassing(cause) && !over) {
          await after(pauseMs);
          continue;
        }
        if (cause instanceof ApiFailure && !isPassing(cause)) throw cause;
        throw busError(what, this.#where, cause);
      }
    }
  }

  /** An error of this bus as a LetheError that says where NATS is. */
  explain(what: string, cause: unknown): Error {
    return busError(what, this.#where, cause);
  }

  /** Lets what is under way end, then closes. */
  async drain(): Promise<void> {
    if (!this.#connection.isClosed()) await this.#connection.drain();
  }

  /** Closes at once. */
  async close(): Promise<void> {
    await this.#connection.close();
  }
}

function answerOf(message: Msg): unknown {
  const answer = message.json<{ error?: { code: number; err_code?: number; description?: string } }>();
  const { error } = answer;
  if (error !== undefined) throw new ApiFailure(error.code, error.err_code ?? 0, error.description ?? 'no description');
  return answer;
}
