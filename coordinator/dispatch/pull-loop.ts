import type { Lease } from '../../shared/bus/lease.ts';
import { unitSubject } from '../../shared/bus/names.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { type Unit, unitSize } from '../../shared/unit/unit.ts';
import { errorOf, failureOf } from '../store/stored-json.ts';
import { obstacle } from './choose-worker.ts';
import type { Dispatch } from './dispatch.ts';
import type { Dispatcher } from './dispatcher.ts';
import { fairOrder, fairPull } from './fair-order.ts';
import { aside, handOut } from './hand-out.ts';
import { workloadOf } from './phase-times.ts';
import { parseQueuedUnit, type QueuedUnit, queueOf } from './queued-unit.ts';

/** A campaign that units are pulled for. */
export interface PullSource {
  readonly campaign: string;
  /** Of its units. `denoise` and `encode` are one: every worker runs both. */
  readonly kind: Unit['kind'];
  readonly checkpoint: string;
  readonly numerics: string;
  readonly graph: string;
  /** Memory classes whose queue is open, and what the largest unit of each needs. */
  readonly classes: readonly { readonly gib: number; readonly bytes: number }[];
  /** Queues a unit anew whose message in the queue could not be read. */
  readonly queueAgain: (unit: string) => void;
}

/** Units that come back by themselves, because a lease ended, ring no bell here. */
const pollMs = 1_000;

/** Asks the queues for as many units as the workers of this coordinator take, in fair order over campaigns. */
export class PullLoop {
  readonly #dispatch: Dispatch;
  readonly #dispatcher: Dispatcher;
  readonly #sources = new Map<string, PullSource>();
  #trouble: LetheError | undefined;
  /** Why units of a campaign cannot be leased from here, though from another coordinator perhaps. */
  readonly #unable = new Map<string, { readonly error: LetheError; readonly mask: string }>();

  constructor(dispatch: Dispatch, dispatcher: Dispatcher) {
    this.#dispatch = dispatch;
    this.#dispatcher = dispatcher;
  }

  /** Why the queues cannot be asked now for units of a campaign, if they cannot. */
  trouble(campaign: string): LetheError | undefined {
    return this.#trouble ?? this.#unable.get(campaign)?.error;
  }

  /** From now on units of this campaign are pulled. */
  set(source: PullSource): void {
    this.#sources.set(source.campaign, source);
    this.#dispatch.wake.ring();
  }

  remove(campaign: string): void {
    this.#sources.delete(campaign);
    this.#unable.delete(campaign);
  }

  /** What could not be opened may have been stored again since. To be called now and then. */
  retry(): void {
    for (const [campaign, { mask }] of this.#unable)
      this.#dispatch.masks.read(mask).then(
        () => {
          this.#unable.delete(campaign);
          this.#dispatch.wake.ring();
        },
        () => undefined,
      );
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const found = await this.#round(signal).then(
        (handedOut) => {
          this.#trouble = undefined;
          return handedOut;
        },
        (error: unknown) => {
          this.#trouble = errorOf(failureOf(error));
          this.#dispatch.log.warn({ err: error }, 'cannot ask for units');
          return 0;
        },
      );
      if (found === 0) await this.#dispatch.wake.wait(signal, pollMs);
    }
  }

  async #round(signal: AbortSignal): Promise<number> {
    const { leases } = this.#dispatch;
    let found = 0;
    const shares = [...this.#sources.values()].map((source) => ({
      ...source,
      leased: leases.all.filter(({ campaign }) => campaign === source.campaign).length,
    }));
    for (const source of fairOrder(shares)) {
      // Whoever can lease them is asked alone: what is delivered again and again counts as lost.
      if (this.#unable.has(source.campaign)) continue;
      for (const { gib, bytes } of source.classes) {
        if (signal.aborted) return found;
        const credits = this.#credits(source, bytes);
        if (credits > 0) found += await this.#pull(source, gib, fairPull(credits, shares.length), signal);
      }
    }
    return found;
  }

  /** Leases that workers take which can run such units. */
  #credits({ kind, checkpoint, numerics, graph }: PullSource, memory: number): number {
    return this.#dispatch.workers.all
      .filter(
        ({ closed, capabilities }) =>
          !closed && obstacle(capabilities, { unit: { kind, checkpoint, numerics, graph }, memory }) === undefined,
      )
      .reduce((sum, { credits }) => sum + credits, 0);
  }

  /** @returns units that were handed out or settled: others wait for another time. */
  async #pull(source: PullSource, gib: number, most: number, signal: AbortSignal): Promise<number> {
    const { campaign, numerics } = source;
    let found = 0;
    try {
      for await (const lease of this.#dispatch.store.queue.pull(queueOf(campaign, numerics, gib), most, 0, signal)) {
        const queued = await this.#readable(lease, source);
        if (queued === undefined) continue;
        const { sites, unit } = queued;
        const wanted = { sites, items: unitSize(unit).items, workload: workloadOf(queued) };
        this.#dispatcher.leased(unitSubject(lease.address), wanted);
        if (await this.#handOut(lease, queued)) found += 1;
      }
    } catch (error) {
      // Not open yet, or the campaign is over: its runner knows.
      if (!(error instanceof LetheError && error.code === 'queue-missing')) throw error;
    }
    return found;
  }

  /** @returns whether it was handed out or settled. */
  async #handOut(lease: Lease, queued: QueuedUnit): Promise<boolean> {
    const { store, log } = this.#dispatch;
    try {
      return (await handOut(this.#dispatch, lease, queued)) !== 'returned';
    } catch (error) {
      if (!(error instanceof LetheError && error.code === 'blob-sealed')) throw error;
      const { campaign } = lease.address;
      log.error({ err: error, campaign, unit: queued.hash }, 'cannot open what a unit needs; others may');
      const { unit } = queued;
      this.#unable.set(campaign, { error, mask: unit.kind === 'image' ? (unit.mask ?? '') : '' });
      await store.queue.giveBack(lease.reply, aside);
      return false;
    }
  }

  /** The unit of a lease. What cannot be read is queued anew: it says nothing that the campaign's plan does not. */
  async #readable(lease: Lease, { queueAgain }: PullSource): Promise<QueuedUnit | undefined> {
    try {
      return parseQueuedUnit(lease.bytes, unitSubject(lease.address));
    } catch (error) {
      if (!(error instanceof LetheError && error.code === 'record-invalid')) throw error;
      this.#dispatch.log.error({ err: error }, 'cannot read a queued unit; it is queued anew');
      await this.#dispatch.store.queue.terminate(lease.reply);
      queueAgain(lease.address.unit);
      return undefined;
    }
  }
}
