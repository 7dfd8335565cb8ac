import type { WorkQueue } from '../../shared/bus/work-queue.ts';
import type { PlannedUnit, UnitPlan } from '../plan/plan.ts';
import type { RecordBook } from '../store/record-book.ts';
import { defaultLimits, judgeAttempts } from './judge-attempts.ts';
import type { PullSource } from './pull-loop.ts';
import { queueOf, queuedUnitBytes } from './queued-unit.ts';
import { unitState } from './ready-units.ts';

/** Leases of one queue at one time, in the whole fleet. */
const mostLeased = 10_000;
/** Units that are published at once: each waits for the disk of NATS. */
const together = 32;

/** Puts the units of a campaign into the queue when they can be run: once each, however often it is asked to. */
export class QueueFeed {
  readonly #campaign: string;
  readonly #plan: UnitPlan;
  readonly #queue: WorkQueue;
  readonly #book: RecordBook;
  /** Units that have neither their results nor failed, as far as it was looked. */
  #open: readonly PlannedUnit[];
  /** Units that were queued from here, each with the repairs that it was queued for. */
  readonly #queued = new Set<string>();
  readonly #classes = new Map<number, number>();
  readonly #successors: ReadonlySet<string>;

  constructor(campaign: string, plan: UnitPlan, queue: WorkQueue, book: RecordBook) {
    this.#campaign = campaign;
    this.#plan = plan;
    this.#queue = queue;
    this.#book = book;
    this.#open = plan.units;
    this.#successors = new Set(plan.units.flatMap(({ predecessor }) => predecessor ?? []));
  }

  /** Queues what can run now. @returns the classes whose queues are open. */
  async advance(signal: AbortSignal): Promise<Pick<PullSource, 'classes'>> {
    // What is done may have to be repaired: then it is open again.
    this.#open = this.#plan.units.filter((unit) => this.#isOpen(unit));
    const ready = this.#open.flatMap((unit) => {
      const state = unitState(unit, (hash, site) => this.#book.settled(hash, site));
      const name = [unit.hash, ...unit.sites.map((site) => this.#repairOf(unit.hash, site))].join(' ');
      return state.kind === 'ready' && !this.#queued.has(name) ? [{ unit, name, sites: state.sites }] : [];
    });
    for (let at = 0; at < ready.length && !signal.aborted; at += together)
      await Promise.all(
        ready.slice(at, at + together).map(async ({ unit, name, sites }) => {
          await this.#publish(unit, sites);
          this.#queued.add(name);
        }),
      );
    await this.#openLarger();
    return { classes: [...this.#classes].map(([gib, bytes]) => ({ gib, bytes })) };
  }

  /** A unit's message is gone from the queue: the next `advance` queues it, if it is open still. */
  forget(unit: string): void {
    for (const name of this.#queued) if (name.startsWith(unit)) this.#queued.delete(name);
  }

  /**
   * Looks whether what was queued still is, and forgets what is not: another coordinator may have emptied the queue of a
   * campaign that was cancelled and submitted again. To be called now and then.
   */
  async audit(): Promise<void> {
    const names = [...this.#queued];
    const open = new Set(this.#open.map(({ hash }) => hash));
    const expected = names.filter((name) => open.has(name.slice(0, 64)));
    const depths = await Promise.all(
      [...this.#classes.keys()].map((gib) => this.#queue.depth(queueOf(this.#campaign, this.#plan.numerics, gib))),
    );
    const there = depths.reduce((sum, { waiting, leased }) => sum + waiting + leased, 0);
    if (there >= expected.length) return;
    const queued = new Set((await this.#queue.queued(this.#campaign)).map(({ unit }) => unit));
    for (const name of expected) if (!queued.has(name.slice(0, 64))) this.#queued.delete(name);
  }

  #isOpen(unit: PlannedUnit): boolean {
    const { kind } = unitState(unit, (hash, site) => this.#book.settled(hash, site));
    return kind === 'ready' || kind === 'blocked';
  }

  #repairOf(unit: string, site: PlannedUnit['sites'][number]): number {
    const found = this.#book.verdict(unit, site);
    return found?.verdict.kind === 'repair' ? found.sequence : 0;
  }

  async #publish(planned: PlannedUnit, sites: PlannedUnit['sites']): Promise<void> {
    const { hash, unit, memory, predecessor } = planned;
    await this.#openClass(memory.gib);
    const bytes = queuedUnitBytes({
      hash,
      unit,
      sites,
      memory: memory.bytes,
      gib: memory.gib,
      predecessor,
      keepStates: this.#successors.has(hash),
    });
    const queue = queueOf(this.#campaign, this.#plan.numerics, memory.gib);
    await this.#queue.publish({ ...queue, unit: hash, purpose: 'result' }, bytes);
  }

  /** Classes above those of the plan, where units went that ran out of memory. */
  async #openLarger(): Promise<void> {
    for (const { hash } of this.#open) {
      const attempts = this.#book.attempts(hash);
      const judgement = judgeAttempts(attempts, defaultLimits);
      if (judgement.kind === 'more-memory') await this.#openClass(judgement.gib);
    }
  }

  async #openClass(gib: number): Promise<void> {
    if (this.#classes.has(gib)) return;
    await this.#queue.open(queueOf(this.#campaign, this.#plan.numerics, gib), mostLeased);
    const bytes = Math.max(
      0,
      ...this.#plan.units.filter(({ memory }) => memory.gib === gib).map(({ memory }) => memory.bytes),
    );
    this.#classes.set(gib, bytes > 0 ? bytes : (gib / 2) * 2 ** 30);
  }
}
