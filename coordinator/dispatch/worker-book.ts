import type { Calls, Timings } from '../../shared/fleet/task.ts';
import type { ConnectedWorker } from '../api/worker-gate.ts';
import type { RecordBook } from '../store/record-book.ts';
import type { Candidate } from './choose-worker.ts';

/** A worker that is connected to this coordinator. */
export interface Session extends Candidate {
  readonly connection: ConnectedWorker;
  readonly draining: boolean;
  /** Why it is suspended; empty if it is not. */
  readonly suspended: string;
  readonly unetCallsPerSecond: number;
  /** Units whose result it gave while connected here, by campaign or job of images. */
  readonly units: ReadonlyMap<string, number>;
  /** Tasks it gave back, which it is not offered again, and why it did. */
  readonly refused: ReadonlyMap<string, string>;
}

interface Known {
  readonly connection: ConnectedWorker;
  draining: boolean;
  readonly refused: Map<string, string>;
  calls: number;
  stepsMs: number;
  readonly units: Map<string, number>;
}

/** The workers of this coordinator, by name: of two streams under one name the later counts. */
export class WorkerBook {
  readonly #book: RecordBook;
  readonly #known = new Map<string, Known>();

  constructor(book: RecordBook) {
    this.#book = book;
  }

  /** @returns the stream that had the name until now. */
  add(connection: ConnectedWorker): ConnectedWorker | undefined {
    const { worker } = connection.hello;
    const before = this.#known.get(worker)?.connection;
    this.#known.set(worker, {
      connection,
      draining: false,
      refused: new Map(),
      calls: 0,
      stepsMs: 0,
      units: new Map(),
    });
    return before;
  }

  /** @returns whether it was the stream that counts. */
  remove(connection: ConnectedWorker): boolean {
    if (!this.isCurrent(connection)) return false;
    return this.#known.delete(connection.hello.worker);
  }

  isCurrent(connection: ConnectedWorker): boolean {
    return this.#known.get(connection.hello.worker)?.connection === connection;
  }

  get(worker: string): ConnectedWorker | undefined {
    return this.#known.get(worker)?.connection;
  }

  drains(worker: string): void {
    const known = this.#known.get(worker);
    if (known !== undefined) known.draining = true;
  }

  refused(worker: string, task: string, reason: string): void {
    this.#known.get(worker)?.refused.set(task, reason);
  }

  /** @param campaign that the unit is of */
  finished(worker: string, campaign: string, calls: Calls, timings: Timings): void {
    const known = this.#known.get(worker);
    if (known === undefined) return;
    known.calls += calls.unetCalls;
    known.stepsMs += timings.steps;
    known.units.set(campaign, (known.units.get(campaign) ?? 0) + 1);
  }

  get all(): readonly Session[] {
    return [...this.#known.values()].map(({ connection, draining, refused, calls, stepsMs, units }) => {
      const { worker, capabilities } = connection.hello;
      const suspended = this.#book.suspension(worker)?.reason ?? '';
      return {
        worker,
        capabilities,
        connection,
        credits: connection.credits,
        draining,
        suspended,
        closed: draining || suspended !== '',
        unetCallsPerSecond: stepsMs > 0 ? (1000 * calls) / stepsMs : 0,
        units,
        refused,
      };
    });
  }
}
