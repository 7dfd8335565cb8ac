import type { Graph } from '../../shared/model/graph/graph.ts';
import type { SessionSettings } from './protocol.ts';
import type { Session, SessionThread } from './session-thread.ts';

interface Entry {
  readonly session: Promise<Session>;
  users: number;
}

/**
 * Loaded models by key, so that a second image of a size loads nothing. At most `limit` are loaded, unless more are in
 * use at once; room is made before a model is loaded, and the one used longest ago goes first.
 */
export class SessionCache {
  readonly #thread: Pick<SessionThread, 'open'>;
  readonly #settings: SessionSettings;
  readonly #limit: number;
  /** In order of last use. One that nobody uses has been loaded: loading is a use, and a failed one is dropped. */
  readonly #entries = new Map<string, Entry>();

  constructor(thread: Pick<SessionThread, 'open'>, settings: SessionSettings, limit: number) {
    this.#thread = thread;
    this.#settings = settings;
    this.#limit = limit;
  }

  /**
   * Calls `work` with the session of `key`, which stays loaded until `work` is done. `build` is called if it is not
   * loaded yet; a session that cannot be loaded is not kept, so a later use tries again.
   */
  async use<T>(key: string, build: () => Graph, work: (session: Session) => Promise<T>): Promise<T> {
    const entry = this.#enter(key, build);
    try {
      return await work(await entry.session);
    } finally {
      entry.users -= 1;
      await this.#evict(this.#limit);
    }
  }

  #enter(key: string, build: () => Graph): Entry {
    const entry = this.#entries.get(key) ?? { session: this.#load(build), users: 0 };
    const isNew = !this.#entries.delete(key);
    this.#entries.set(key, entry);
    entry.users += 1;
    if (isNew)
      entry.session.catch(() => {
        if (this.#entries.get(key) === entry) this.#entries.delete(key);
      });
    return entry;
  }

  async #load(build: () => Graph): Promise<Session> {
    await this.#evict(this.#limit - 1);
    return this.#thread.open(build(), this.#settings);
  }

  /** Frees sessions nobody uses until at most `most` are there. */
  async #evict(most: number): Promise<void> {
    const freed: Promise<Session>[] = [];
    for (const [key, { session, users }] of this.#entries) {
      if (this.#entries.size <= most) break;
      if (users > 0) continue;
      this.#entries.delete(key);
      freed.push(session);
    }
    await Promise.all(freed.map(async (session) => (await session).dispose()));
  }
}
