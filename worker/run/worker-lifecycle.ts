import type { WorkerObserver } from './worker-observer.ts';
import { initialState, nextState, type WorkerChange, type WorkerState } from './worker-state.ts';

/** The state a worker is in, told whenever it becomes one of another kind, and its end. */
export class WorkerLifecycle {
  readonly #observer: WorkerObserver;
  readonly #end: () => Promise<void>;
  #state: WorkerState = initialState;
  #resolveStopped: (reason: string) => void = () => undefined;
  /** The reason it stopped for, when all has ended. */
  readonly stopped = new Promise<string>((resolve) => {
    this.#resolveStopped = resolve;
  });

  /** @param end ends what is open still, once the worker is over */
  constructor(observer: WorkerObserver, end: () => Promise<void>) {
    this.#observer = observer;
    this.#end = end;
  }

  get state(): WorkerState {
    return this.#state;
  }

  start(): void {
    this.#observer.onState(this.#state);
  }

  change(change: WorkerChange): void {
    const before = this.#state;
    this.#state = nextState(before, change);
    if (before.kind !== this.#state.kind) this.#observer.onState(this.#state);
    if (this.#state.kind !== 'stopped' || before.kind === 'stopped') return;
    const { reason } = this.#state;
    void this.#end().then(() => {
      this.#resolveStopped(reason);
    });
  }
}
