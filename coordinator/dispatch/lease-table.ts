import type { ReplySubject } from '../../shared/bus/lease.ts';
import type { Deadlines, TaskPhase } from '../../shared/fleet/task.ts';
import type { Clock } from './clock.ts';

/** A task's phase on its worker; then its result is committed, which has no deadline but the store's. */
export type LeasePhase = TaskPhase | { readonly kind: 'committing' };

/** A lease that a worker of this coordinator runs under. */
export interface HeldLease {
  readonly task: string;
  readonly campaign: string;
  readonly worker: string;
  readonly reply: ReplySubject;
  readonly phase: LeasePhase;
  /** When it entered its phase. */
  readonly since: number;
  /** When it was last given its whole time: leased, or renewed. */
  readonly renewed: number;
  /** Memory class, in GiB. */
  readonly gib: number;
  /** What its deadlines are learned by (`workloadOf`); undefined where the unit is not known: another coordinator leased it. */
  readonly workload: string | undefined;
}

/** What is to be done about a lease. */
export type LeaseDuty =
  | { readonly kind: 'renew'; readonly lease: HeldLease }
  /** Its worker is past the deadline of its phase: the lease is left to end, and the attempt is lost. */
  | { readonly kind: 'overdue'; readonly lease: HeldLease }
  /**
   * It could not be renewed for as long as a lease lasts: somebody else may have the unit now. It is left alone until the
   * queue delivers the unit here again.
   */
  | { readonly kind: 'leave'; readonly lease: HeldLease };

/**
 * The leases of this coordinator's workers. Being alive is not enough for a renewal: a worker is renewed while it is inside
 * the deadline of its phase. A task that waits is as good as the one its worker runs.
 */
export class LeaseTable {
  readonly #clock: Clock;
  readonly #leaseMs: number;
  readonly #deadlines: (workload: string | undefined) => Deadlines;
  readonly #leases = new Map<string, HeldLease>();

  /** @param deadlines of a workload's phases, as they are known by now. */
  constructor(clock: Clock, leaseMs: number, deadlines: (workload: string | undefined) => Deadlines) {
    this.#clock = clock;
    this.#leaseMs = leaseMs;
    this.#deadlines = deadlines;
  }

  get(task: string): HeldLease | undefined {
    return this.#leases.get(task);
  }

  get all(): readonly HeldLease[] {
    return [...this.#leases.values()];
  }

  of(worker: string): readonly HeldLease[] {
    return this.all.filter((lease) => lease.worker === worker);
  }

  /** A worker has the task, under this lease. Replaces what is known of it. */
  hold(lease: Omit<HeldLease, 'since' | 'renewed'>): void {
    const now = this.#clock.now();
    this.#leases.set(lease.task, { ...lease, since: now, renewed: now });
  }

  /** The queue has delivered a task again that its worker still has: what counts is the new reply subject. */
  attach(task: string, reply: ReplySubject): HeldLease | undefined {
    return this.#change(task, { reply, renewed: this.#clock.now() });
  }

  enter(task: string, phase: LeasePhase): void {
    this.#change(task, { phase, since: this.#clock.now() });
  }

  /** A renewal that was sent at `at` has reached the server. */
  renewed(task: string, at: number): void {
    this.#change(task, { renewed: at });
  }

  drop(task: string): void {
    this.#leases.delete(task);
  }

  /** Whether nobody else can have the unit by now: only then may it be given back. */
  isSure({ renewed }: HeldLease): boolean {
    return this.#clock.now() - renewed < this.#leaseMs;
  }

  /** To be asked every third of a lease. */
  duties(): readonly LeaseDuty[] {
    const now = this.#clock.now();
    return this.all.map((lease): LeaseDuty => {
      if (!this.isSure(lease)) return { kind: 'leave', lease };
      return { kind: this.#isOverdue(lease, now) ? 'overdue' : 'renew', lease };
    });
  }

  #isOverdue(lease: HeldLease, now: number): boolean {
    const { loading, encoding, step, decoding } = this.#deadlines(lease.workload);
    switch (lease.phase.kind) {
      case 'loading':
        return now - lease.since > loading;
      case 'encoding':
        return now - lease.since > encoding;
      case 'step':
        return now - lease.since > step;
      case 'decoding':
        return now - lease.since > decoding;
      case 'committing':
        return false;
      case 'waiting': {
        const running = this.of(lease.worker).filter(
          ({ phase }) => phase.kind !== 'waiting' && phase.kind !== 'committing',
        );
        // Between two tasks nothing runs, for as long as it takes to send and to begin.
        if (running.length === 0) return now - lease.since > loading;
        return running.every((each) => this.#isOverdue(each, now));
      }
    }
  }

  #change(task: string, change: Partial<HeldLease>): HeldLease | undefined {
    const lease = this.#leases.get(task);
    if (lease === undefined) return undefined;
    const changed = { ...lease, ...change };
    this.#leases.set(task, changed);
    return changed;
  }
}
