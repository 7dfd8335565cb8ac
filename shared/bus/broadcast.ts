import type { Bus } from './bus.ts';
import { noticeSubject } from './names.ts';

export type Topic = Parameters<typeof noticeSubject>[0];

/**
 * Notices that say "look" and nothing that would have to be trusted or kept: whoever gets one reads what is stored. They
 * are lost where nobody listens, so whoever listens also looks when it begins and after every reconnect.
 */
export class Broadcast {
  readonly #bus: Bus;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /** @throws LetheError `bus-unavailable`, `bus-failed` */
  async say(topic: Topic): Promise<void> {
    try {
      await this.#bus.persist('cannot send a notice', () => this.#bus.deliver(noticeSubject(topic)));
    } catch (cause) {
      throw this.#bus.explain('cannot send a notice', cause);
    }
  }

  /**
   * Calls `look` for every notice, and after every reconnect because some may have been missed, until the function returned
   * is called. Resolves when the server knows of it: what is said from then on is heard.
   */
  async listen(topic: Topic, look: () => void): Promise<() => void> {
    const subscription = this.#bus.subscribe(noticeSubject(topic), look);
    const forget = this.#bus.onReconnect(look);
    const stop = () => {
      forget();
      subscription.unsubscribe();
    };
    try {
      await this.#bus.persist('cannot listen for notices', () => this.#bus.flush());
      return stop;
    } catch (cause) {
      stop();
      throw this.#bus.explain('cannot listen for notices', cause);
    }
  }
}
