import type { Deadlines } from '../../shared/fleet/task.ts';
import type { LeasePhase } from './lease-table.ts';

/** A phase may take so many times as long as the longest that was seen. */
const factor = 10;
/** Milliseconds that every phase is given, and those of a phase that nobody has seen yet. */
const least: Deadlines = { loading: 30_000, encoding: 10_000, step: 10_000, decoding: 10_000 };
const first: Deadlines = { loading: 600_000, encoding: 120_000, step: 300_000, decoding: 300_000 };
/** A day; deadlines are whole numbers below 2^32, or they cannot be sent. */
const most = 86_400_000;

/** Deadlines that follow how long phases have taken on the workers of this coordinator. */
export class PhaseTimes {
  readonly #longest: Partial<Record<keyof Deadlines, number>> = {};

  /** A phase took so many milliseconds, and came to its end. */
  took(phase: LeasePhase['kind'], ms: number): void {
    if (phase === 'waiting' || phase === 'committing') return;
    this.#longest[phase] = Math.max(this.#longest[phase] ?? 0, ms);
  }

  get deadlines(): Deadlines {
    const of = (phase: keyof Deadlines): number => {
      const longest = this.#longest[phase];
      return longest === undefined ? first[phase] : Math.min(most, Math.max(least[phase], Math.ceil(factor * longest)));
    };
    return { loading: of('loading'), encoding: of('encoding'), step: of('step'), decoding: of('decoding') };
  }
}
