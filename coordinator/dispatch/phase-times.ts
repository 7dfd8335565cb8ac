import type { Deadlines } from '../../shared/fleet/task.ts';
import type { LeasePhase } from './lease-table.ts';
import type { QueuedUnit } from './queued-unit.ts';

/** A phase may take so many times as long as the longest that was seen. */
const factor = 10;
/** Milliseconds that every phase is given, and those of a phase that nobody has seen yet. */
const least: Deadlines = { loading: 30_000, encoding: 10_000, step: 10_000, decoding: 10_000 };
const first: Deadlines = { loading: 600_000, encoding: 120_000, step: 300_000, decoding: 300_000 };
/** A day; deadlines are whole numbers below 2^32, or they cannot be sent. */
const most = 86_400_000;

/** What is known of a phase of one workload, in ms. */
interface Seen {
  /** The longest that came to its end. */
  readonly longest?: number;
  /** The longest that was given up before its end: so long is not enough. */
  readonly tooShort?: number;
}

/** Units that take about as long: of one checkpoint, kind, numerics class and memory class. */
export function workloadOf({ unit, gib }: Pick<QueuedUnit, 'unit' | 'gib'>): string {
  const { checkpoint, kind, numerics } = unit;
  return [checkpoint, kind, numerics, gib].join(' ');
}

/**
 * Deadlines that follow how long phases have taken on the workers of this coordinator, each workload's its own. Of a unit
 * that is not known (undefined: its lease is another coordinator's) nothing is learned, and it has the longest deadlines.
 */
export class PhaseTimes {
  readonly #seen = new Map<string, Partial<Record<keyof Deadlines, Seen>>>();

  /** A phase took so many milliseconds, and came to its end. */
  took(workload: string | undefined, phase: LeasePhase['kind'], ms: number): void {
    this.#learn(workload, phase, ({ longest = 0, ...seen }) => ({ ...seen, longest: Math.max(longest, ms) }));
  }

  /** A phase was given up after so many milliseconds: the next ones are given at least twice as long. */
  gaveUp(workload: string | undefined, phase: LeasePhase['kind'], ms: number): void {
    this.#learn(workload, phase, ({ tooShort = 0, ...seen }) => ({ ...seen, tooShort: Math.max(tooShort, ms) }));
  }

  deadlines(workload: string | undefined): Deadlines {
    const phases = this.#seen.get(workload ?? '') ?? {};
    const of = (phase: keyof Deadlines): number => {
      const { longest, tooShort = 0 } = phases[phase] ?? {};
      const learned = longest === undefined ? first[phase] : Math.max(least[phase], Math.ceil(factor * longest));
      return Math.min(most, Math.max(learned, Math.ceil(2 * tooShort)));
    };
    return { loading: of('loading'), encoding: of('encoding'), step: of('step'), decoding: of('decoding') };
  }

  #learn(workload: string | undefined, phase: LeasePhase['kind'], change: (seen: Seen) => Seen): void {
    if (workload === undefined || phase === 'waiting' || phase === 'committing') return;
    const phases = this.#seen.get(workload) ?? {};
    this.#seen.set(workload, { ...phases, [phase]: change(phases[phase] ?? {}) });
  }
}
