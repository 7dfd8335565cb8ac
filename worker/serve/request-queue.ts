import { type QueueObserver } from './queue-observer.ts';
import { WorkRate } from './work-rate.ts';

/** What a queue takes, and how it groups it. */
export interface QueueLimits {
  /** Images that may wait. */
  readonly waiting: number;
  /** Images that are made together. */
  readonly batch: number;
  /** Milliseconds that a first request waits for others before it runs. */
  readonly gatherMs: number;
}

/** Something to be made: so many images, which can share a batch with others of the same key. */
export interface Ask {
  readonly images: number;
  readonly key: string;
}

/** How a request ended. */
export type Outcome<Result> =
  | { readonly kind: 'done'; readonly result: Result }
  /** Too many wait; it may be asked again after so many seconds. */
  | { readonly kind: 'full'; readonly retryAfter: number }
  | { readonly kind: 'stopping' }
  /** Its deadline passed. */
  | { readonly kind: 'late' }
  /** Whoever asked went away. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'failed'; readonly error: unknown };

/** Makes what is asked for, in its order; rejects if one of them cannot be made. `signal`: nobody waits for it any more. */
export type RunBatch<A, Result> = (asks: readonly A[], signal: AbortSignal) => Promise<readonly Result[]>;

interface Entry<A, Result> {
  readonly ask: A;
  readonly settle: (outcome: Outcome<Result>) => void;
  isSettled: boolean;
}

/**
 * Requests in the order in which they came, bounded. One batch runs at a time: the oldest request and those that wait with
 * the same key, as many as fit. A batch that fails is run again one by one, so that a request fails by itself alone.
 */
export class RequestQueue<A extends Ask, Result> {
  readonly #limits: QueueLimits;
  readonly #run: RunBatch<A, Result>;
  readonly #observer: QueueObserver;
  readonly #rate = new WorkRate();
  #waiting: Entry<A, Result>[] = [];
  #running: readonly Entry<A, Result>[] = [];
  /** Set while a batch runs. */
  #aborter: AbortController | undefined;
  #gathering: NodeJS.Timeout | undefined;
  #stopping = false;
  #whenEmpty: (() => void)[] = [];

  constructor(limits: QueueLimits, run: RunBatch<A, Result>, observer: QueueObserver) {
    this.#limits = limits;
    this.#run = run;
    this.#observer = observer;
  }

  /**
   * Resolves when the request has ended, one way or another; never rejects.
   *
   * @param deadlineMs from now
   * @param client aborts when whoever asked has gone
   */
  submit(ask: A, deadlineMs: number, client: AbortSignal): Promise<Outcome<Result>> {
    if (this.#stopping) return Promise.resolve({ kind: 'stopping' });
    if (client.aborted) return Promise.resolve({ kind: 'gone' });
    const waiting = imagesOf(this.#waiting);
    if (waiting > 0 && waiting + ask.images > this.#limits.waiting)
      return Promise.resolve({ kind: 'full', retryAfter: this.#rate.seconds(waiting + imagesOf(this.#running)) });
    return new Promise((resolve) => {
      const leave = (): void => {
        entry.settle({ kind: 'gone' });
      };
      const timer = setTimeout(() => {
        entry.settle({ kind: 'late' });
      }, deadlineMs);
      const entry: Entry<A, Result> = {
        ask,
        isSettled: false,
        settle: (outcome) => {
          if (entry.isSettled) return;
          entry.isSettled = true;
          clearTimeout(timer);
          client.removeEventListener('abort', leave);
          resolve(outcome);
          this.#forget(entry);
        },
      };
      client.addEventListener('abort', leave, { once: true });
      this.#waiting.push(entry);
      this.#observer.depth(imagesOf(this.#waiting));
      this.#gather();
    });
  }

  /** Takes nothing more; resolves when everything that was taken has ended. */
  async drain(): Promise<void> {
    this.#stopping = true;
    if (this.#waiting.length === 0 && this.#aborter === undefined) return;
    await new Promise<void>((resolve) => this.#whenEmpty.push(resolve));
  }

  /** A settled request waits no more, and a batch that nobody waits for is given up. */
  #forget(entry: Entry<A, Result>): void {
    this.#waiting = this.#waiting.filter((each) => each !== entry);
    this.#observer.depth(imagesOf(this.#waiting));
    if (this.#running.length > 0 && this.#running.every(({ isSettled }) => isSettled)) this.#aborter?.abort();
    this.#tellIfEmpty();
  }

  #gather(): void {
    if (this.#aborter !== undefined || this.#gathering !== undefined) return;
    this.#gathering = setTimeout(() => {
      this.#gathering = undefined;
      void this.#work();
    }, this.#limits.gatherMs);
  }

  async #work(): Promise<void> {
    for (let batch = this.#takeBatch(); batch.length > 0; batch = this.#takeBatch()) {
      const aborter = new AbortController();
      [this.#running, this.#aborter] = [batch, aborter];
      await this.#runBatch(batch, aborter.signal);
      [this.#running, this.#aborter] = [[], undefined];
    }
    this.#tellIfEmpty();
  }

  #takeBatch(): readonly Entry<A, Result>[] {
    const [first] = this.#waiting;
    if (first === undefined) return [];
    const batch: Entry<A, Result>[] = [];
    let images = 0;
    for (const entry of this.#waiting) {
      if (entry.ask.key !== first.ask.key) continue;
      if (batch.length > 0 && images + entry.ask.images > this.#limits.batch) break;
      batch.push(entry);
      images += entry.ask.images;
    }
    this.#waiting = this.#waiting.filter((entry) => !batch.includes(entry));
    this.#observer.depth(imagesOf(this.#waiting));
    return batch;
  }

  async #runBatch(batch: readonly Entry<A, Result>[], signal: AbortSignal): Promise<void> {
    const wanted = batch.filter(({ isSettled }) => !isSettled);
    if (wanted.length === 0) return;
    const started = performance.now();
    const images = imagesOf(wanted);
    try {
      const asks = wanted.map(({ ask }) => ask);
      const results = await this.#run(asks, signal);
      const seconds = (performance.now() - started) / 1000;
      this.#rate.add(images, seconds);
      this.#observer.batch(images, seconds);
      for (const [i, entry] of wanted.entries()) {
        const result = results[i];
        entry.settle(result === undefined ? { kind: 'failed', error: undefined } : { kind: 'done', result });
      }
    } catch (error) {
      if (wanted.length === 1) wanted[0]?.settle({ kind: 'failed', error });
      else for (const entry of wanted) await this.#runBatch([entry], signal);
    }
  }

  #tellIfEmpty(): void {
    if (!this.#stopping || this.#waiting.length > 0 || this.#aborter !== undefined) return;
    for (const resolve of this.#whenEmpty.splice(0)) resolve();
  }
}

function imagesOf(entries: readonly { readonly ask: Ask }[]): number {
  return entries.reduce((sum, { ask }) => sum + ask.images, 0);
}
