import { Worker } from 'node:worker_threads';
import { LetheError } from '../../error/lethe-error.ts';
import { joinParts, partsOf, type ScoreJob } from './score-job.ts';
import type { LayerSelection } from './score-layer.ts';
import type { ScoreReply } from './score-thread.ts';

interface Waiting {
  readonly job: ScoreJob;
  readonly resolve: (selection: LayerSelection) => void;
  readonly reject: (error: LetheError) => void;
}

/** A thread and what it works on. */
interface Thread {
  readonly worker: Worker;
  current: Waiting | undefined;
}

/**
 * Threads that score layers from the checkpoint's files, so that neither weights nor work touch the thread that asks. The
 * result does not depend on how many there are. They start when they are needed, or told to; one that ends takes down the
 * layer it was on and no other.
 */
export class ScorePool {
  readonly #size: number;
  readonly #threads = new Set<Thread>();
  readonly #queue: Waiting[] = [];
  #closed = false;

  constructor(threads: number) {
    this.#size = Math.max(1, threads);
  }

  /** Starts the threads before there is work: it takes longer than scoring a concept of a small model does. */
  start(): void {
    while (this.#threads.size < this.#size && !this.#closed) this.#start();
    this.#next();
  }

  /**
   * The selections of layers, in the order of the jobs.
   *
   * @throws LetheError of the first layer that fails, as `score`; `scoring-failed` if a thread ends or the pool is closed.
   */
  async score(jobs: readonly ScoreJob[]): Promise<readonly LayerSelection[]> {
    return Promise.all(
      jobs.map(async (job) => joinParts(await Promise.all(partsOf(job).map((part) => this.#ask(part))))),
    );
  }

  /** Ends the threads; layers that wait or are worked on fail with `scoring-failed`. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { reject } of this.#queue.splice(0)) reject(gone('the pool was closed'));
    await Promise.all([...this.#threads].map(({ worker }) => worker.terminate()));
  }

  #ask(job: ScoreJob): Promise<LayerSelection> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(gone('the pool is closed'));
        return;
      }
      this.#queue.push({ job, resolve, reject });
      this.#next();
    });
  }

  /** Gives waiting parts to idle threads. A thread keeps the process alive while it works, and no longer. */
  #next(): void {
    const busy = [...this.#threads].filter(({ current }) => current !== undefined).length;
    while (this.#threads.size < Math.min(this.#size, busy + this.#queue.length)) this.#start();
    for (const thread of this.#threads) {
      if (thread.current !== undefined) continue;
      thread.current = this.#queue.shift();
      if (thread.current === undefined) thread.worker.unref();
      else {
        thread.worker.ref();
        thread.worker.postMessage(thread.current.job);
      }
    }
  }

  #start(): void {
    const thread: Thread = {
      worker: new Worker(new URL('./score-thread.js', import.meta.url), { name: 'lethe-score' }),
      current: undefined,
    };
    const { worker } = thread;
    this.#threads.add(thread);
    worker.on('message', (reply: ScoreReply) => {
      const { current } = thread;
      thread.current = undefined;
      if (reply.kind === 'scored') current?.resolve(reply.selection);
      else current?.reject(new LetheError(reply.code, reply.failure));
      this.#next();
    });
    let reason = '';
    worker.on('error', (error) => {
      reason = `: ${error.message}`;
    });
    worker.on('exit', (code) => {
      const { current } = thread;
      thread.current = undefined;
      current?.reject(gone(`its thread ended with code ${code}${reason}`));
      this.#threads.delete(thread);
      if (!this.#closed) this.#next();
    });
  }
}

function gone(why: string): LetheError {
  return new LetheError('scoring-failed', {
    what: 'cannot score a layer',
    why,
    next: 'ask again; if it repeats, give the process more memory',
  });
}
