import type { Timings } from '../../shared/fleet/task.ts';
import type { Phase } from '../observe/phase.ts';
import type { Clock } from './clock.ts';

/** Adds up how long each kind of phase took. */
export class PhaseTimer {
  readonly #clock: Clock;
  readonly #spent = { loading: 0, encoding: 0, steps: 0, decoding: 0 };
  #current: keyof Timings | undefined;
  #since = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A phase begins, and the one before it is over. */
  enter(phase: Phase): void {
    this.#leave();
    this.#current = phase.kind === 'step' ? 'steps' : phase.kind;
    this.#since = this.#clock.now();
  }

  /** The last phase is over. */
  end(): Timings {
    this.#leave();
    this.#current = undefined;
    return { ...this.#spent };
  }

  #leave(): void {
    if (this.#current !== undefined) this.#spent[this.#current] += this.#clock.now() - this.#since;
  }
}
