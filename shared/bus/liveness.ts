import type { NatsConnection } from 'nats';
import { setMaxListeners } from 'node:events';
import { PassingFailure } from './bus-error.ts';

/** Whether a connection to NATS, which reconnects by itself, is there at present. */
export class Liveness {
  #connected = new AbortController();
  readonly #listeners = new Set<() => void>();

  constructor(connection: NatsConnection) {
    void this.#follow(connection);
  }

  async #follow(connection: NatsConnection): Promise<void> {
    for await (const { type } of connection.status()) {
      if ((type as string) === 'disconnect')
        this.#connected.abort(new PassingFailure('the connection to NATS was lost'));
      if ((type as string) !== 'reconnect') continue;
      this.#connected = new AbortController();
      for (const listener of this.#listeners) listener();
    }
    this.#connected.abort(new PassingFailure('the connection to NATS is closed'));
  }

  /** Aborted when the present connection is lost; a new one has a signal of its own. */
  get signal(): AbortSignal {
    return this.#connected.signal;
  }

  /** `listener` is called after every reconnect, until the function returned is called. */
  onReconnect(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** An answer that is expected on the present connection. @throws PassingFailure as soon as that is lost. */
  async unlessLost<T>(answer: Promise<T>): Promise<T> {
    const lost = this.#connected.signal;
    // As many as there are requests under way.
    setMaxListeners(0, lost);
    let fail: (() => void) | undefined;
    const loss = new Promise<never>((_, reject) => {
      fail = () => {
        reject(lost.reason as Error);
      };
      lost.addEventListener('abort', fail, { once: true });
    });
    try {
      return await Promise.race([answer, loss]);
    } finally {
      if (fail !== undefined) lost.removeEventListener('abort', fail);
      // Whichever comes second has nobody who waits for it.
      answer.catch(() => undefined);
    }
  }
}
