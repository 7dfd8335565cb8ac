import { Worker } from 'node:worker_threads';

/** Threads that add cohorts up. One is kept for the next cohort: to start it takes longer than to add most of them up. */
export class SumThreads {
  #idle: Worker | undefined;

  /** Starts the one that is kept, before there is a cohort. */
  start(): void {
    this.#idle ??= this.#start();
    this.#idle.unref();
  }

  /** A thread that nobody else has. It keeps the process alive until it is given back or terminated. */
  take(): Worker {
    const thread = this.#idle ?? this.#start();
    this.#idle = undefined;
    thread.ref();
    return thread;
  }

  /** A thread that has answered everything it was asked. */
  async giveBack(thread: Worker): Promise<void> {
    if (this.#idle !== undefined) {
      await thread.terminate();
      return;
    }
    this.#idle = thread;
    thread.unref();
  }

  #start(): Worker {
    const thread = new Worker(new URL('./sum-thread.js', import.meta.url), { name: 'lethe-sum' });
    // Whoever waits for an answer hears of it; an idle one is only not used again.
    thread.on('error', () => undefined);
    thread.on('exit', () => {
      if (this.#idle === thread) this.#idle = undefined;
    });
    return thread;
  }
}
