import type { Graph } from '../../shared/model/graph/graph.ts';
import type { SessionSettings } from './protocol.ts';
import type { Session, SessionThread } from './session-thread.ts';

interface Entry {
  readonly session: Promise<Session>;
  users: number;
}

/**
 * Loaded models by key, so that a second image of a size loads nothing. At most `limit` that nobody is using stay
 * loaded; the one used longest ago goes first.
 */
export class SessionCache {
  readonly #thread: SessionThread;
  readonly #settings: SessionSettings;
  readonly #limit: number;
  /** In order of last use. */
  readonly #entries = new Map<string, Entry>();

  constructor(thread: SessionThread, settings: SessionSettings, limit: number) {
    this.#thread = thread;
    this.#settings = settings;
    this.#limit = limit;
  }

  /**
   * Calls `work` with the session of `key`, which stays loaded until `work` is done. `build` is called if it is not
   * loaded yet; a session that cannot be loaded is not kept.
   */
  async use<T>(key: string, build: () => Graph, work: (session: Session) => Promise<T>): Promise<T> {
    const entry = this.#entries.get(key) ?? { session: this.#open(build), users: 0 };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    entry.users += 1;
    try {
      return await work(await entry.session);
    } finally {
      entry.users -= 1;
      if (await isLost(entry.session)) this.#entries.delete(key);
      await this.#trim();
    }
  }

  async #open(build: () => Graph): Promise<Session> {
    return this.#thread.open(build(), this.#settings);
  }

  async #trim(): Promise<void> {
    for (const [key, entry] of [...this.#entries]) {
      if (this.#entries.size <= this.#limit) return;
      if (entry.users > 0) continue;
      this.#entries.delete(key);
      await (await entry.session).dispose();
    }
  }
}

async function isLost(session: Promise<Session>): Promise<boolean> {
  return session.then(
    () => false,
    () => true,
  );
}
