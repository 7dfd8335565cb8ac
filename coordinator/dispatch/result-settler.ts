import { randomUUID } from 'node:crypto';
import { parseUnitSubject } from '../../shared/bus/names.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import type { FinishedTask, RemoteFailure } from '../../shared/fleet/task.ts';
import type { Output } from '../../shared/unit/unit.ts';
import type { ConnectedWorker } from '../api/worker-gate.ts';
import { commitResult } from '../collect/commit-result.ts';
import { failureOf, type StoredFailure } from '../store/stored-json.ts';
import type { Clock } from './clock.ts';
import type { Dispatch } from './dispatch.ts';
import { enterPhase } from './enter-phase.ts';
import { aside, openSites } from './hand-out.ts';
import { isOfLease } from './lease-tickets.ts';
import { settleAttempt } from './settle-attempt.ts';

/** Codes after which the same is tried again: nothing is wrong with the result. */
const passing: readonly string[] = ['bus-unavailable', 'bus-store-failed'];

/** What a task is wanted for. */
export interface Wanted {
  readonly sites: readonly Output[];
  /** Trajectories or prompts of its unit; undefined, as the next, where another coordinator leased it. */
  readonly items: number | undefined;
  /** What its deadlines are learned by. */
  readonly workload: string | undefined;
}

/** A result that a worker has told of, on the stream it was told on. */
interface Told {
  readonly connection: ConnectedWorker;
  readonly finished: FinishedTask;
}

/** What became of a result. */
type Outcome =
  /** It, or another one, counts. */
  | 'settled'
  /** It is at fault. */
  | 'refused'
  /** Its stream ended before it was collected. */
  | 'lost'
  /** The store did not take it: it is tried again. */
  | 'waits';

/** Brings what workers give to its end: commits results, settles failures, and ends the leases. */
export class ResultSettler {
  readonly #dispatch: Dispatch;
  readonly #clock: Clock;
  readonly #wanted: Map<string, Wanted>;
  /** Results that could not be committed yet, by task. */
  readonly #uncommitted = new Map<string, readonly Told[]>();
  /** Tasks of which a result is being committed, and results that were told meanwhile: of each worker the latest. */
  readonly #committing = new Map<string, readonly Told[]>();
  /** Why results that wait to be committed do, by task. */
  readonly #troubles = new Map<string, LetheError>();

  /** @param wanted by task; what is committed is removed */
  constructor(dispatch: Dispatch, clock: Clock, wanted: Map<string, Wanted>) {
    this.#dispatch = dispatch;
    this.#clock = clock;
    this.#wanted = wanted;
  }

  /** What could not be committed is tried again. */
  retry(): void {
    const waiting = [...this.#uncommitted.values()].flat();
    this.#uncommitted.clear();
    for (const { connection, finished } of waiting) this.finish(connection, finished);
  }

  /** The worker of a task is gone: its result is not committed from here. */
  forget(worker: string, task: string): void {
    const others = (this.#uncommitted.get(task) ?? []).filter((told) => workerOf(told) !== worker);
    if (others.length > 0) this.#uncommitted.set(task, others);
    else {
      this.#uncommitted.delete(task);
      this.#troubles.delete(task);
    }
  }

  /** Why a result of a campaign cannot be stored now, if there is one that cannot. */
  trouble(campaign: string): LetheError | undefined {
    return [...this.#troubles].find(([task]) => parseUnitSubject(task)?.campaign === campaign)?.[1];
  }

  /** A worker has a result: it is collected and committed, or counts as an attempt that failed. */
  finish(connection: ConnectedWorker, finished: FinishedTask): void {
    const { task } = finished;
    const { worker } = connection.hello;
    const leased = this.#dispatch.tickets.open(worker, task, finished.replySubject);
    if (leased === undefined || !isOfLease(leased, finished)) {
      this.#dispatch.log.warn({ task, worker, leased }, 'a result is not of a lease of this worker: it does not count');
      connection.forget(task);
      return;
    }
    const told = { connection, finished };
    const later = this.#committing.get(task);
    if (later !== undefined) {
      // The stream that the other is collected from may be over: its worker has opened this one.
      this.#committing.set(task, [...later.filter((each) => workerOf(each) !== workerOf(told)), told]);
      return;
    }
    this.#committing.set(task, []);
    enterPhase(this.#dispatch, this.#clock, task, { kind: 'committing' });
    void this.#settle(told).then((outcome) => {
      const others = this.#committing.get(task) ?? [];
      this.#committing.delete(task);
      this.#goOn(told, outcome, others);
    });
  }

  async #settle({ connection, finished }: Told): Promise<Outcome> {
    const { task } = finished;
    const { worker } = connection.hello;
    const { log } = this.#dispatch;
    try {
      await this.#commit(connection, finished);
      this.#troubles.delete(task);
      return 'settled';
    } catch (error) {
      const code = error instanceof LetheError ? error.code : '';
      this.#troubles.delete(task);
      log.warn({ task, worker, err: error }, 'cannot commit a result');
      if (code === 'fleet-lost') return 'lost';
      if (error instanceof LetheError && passing.includes(code)) {
        this.#troubles.set(task, error);
        return 'waits';
      }
      // The result itself is at fault: an attempt like any other that failed.
      connection.forget(task);
      await this.fail(worker, task, failureOf(error), finished.replySubject).catch((cause: unknown) => {
        log.warn({ err: cause }, 'cannot settle a result');
      });
      return 'refused';
    }
  }

  /** @param later results that were told while this one was being committed */
  #goOn(told: Told, outcome: Outcome, later: readonly Told[]): void {
    const { leases } = this.#dispatch;
    const { task } = told.finished;
    const worker = workerOf(told);
    const isToldAgain = later.some((each) => workerOf(each) === worker);
    switch (outcome) {
      case 'settled':
        for (const { connection } of later) connection.forget(task);
        return;
      case 'refused':
        for (const each of later)
          if (workerOf(each) === worker) each.connection.forget(task);
          else this.finish(each.connection, each.finished);
        return;
      case 'lost':
        // Renewed no longer: what is being committed has no deadline.
        if (!isToldAgain && leases.get(task)?.worker === worker) leases.drop(task);
        for (const { connection, finished } of later) this.finish(connection, finished);
        return;
      case 'waits':
        this.#uncommitted.set(task, isToldAgain ? later : [told, ...later]);
    }
  }

  async #commit(connection: ConnectedWorker, finished: FinishedTask): Promise<void> {
    const { store, leases, tickets, workers, wake, log } = this.#dispatch;
    const { task, unit, sites } = finished;
    const { worker } = connection.hello;
    const open = await openSites(this.#dispatch, { hash: unit, sites });
    if (open.length > 0) {
      const blobs = await connection.collect(finished);
      const items = this.#wanted.get(task)?.items;
      const won = await commitResult(store, worker, { ...finished, sites: open }, blobs, randomUUID(), items);
      if (won.length > 0) {
        const campaign = parseUnitSubject(finished.task)?.campaign ?? '';
        workers.finished(worker, campaign, finished.calls, finished.timings);
        this.#dispatch.observer.onResult(finished);
      }
      log.debug({ unit, worker, won }, 'result');
    }
    const reply = leases.get(task)?.reply ?? tickets.open(worker, task, finished.replySubject)?.reply;
    leases.drop(task);
    if (reply !== undefined) await store.queue.acknowledge(reply);
    connection.forget(task);
    this.#wanted.delete(task);
    wake.ring();
  }

  /** An attempt gave no result: it is recorded, and the unit waits for another one or has failed. */
  async fail(
    worker: string,
    task: string,
    failure: RemoteFailure | StoredFailure,
    replySubject: string,
  ): Promise<void> {
    const { store, book, leases, tickets, limits, wake, log } = this.#dispatch;
    const address = parseUnitSubject(task);
    const leased = tickets.open(worker, task, replySubject);
    if (address === undefined || leased === undefined) {
      log.warn({ task, worker }, 'a failure is not of a lease of this worker: it does not count');
      return;
    }
    const current = leases.get(task);
    // Somebody else has the unit by now: its lease stays.
    if (current !== undefined && current.worker !== worker) return;
    const held = current;
    leases.drop(task);
    const { unit, campaign } = address;
    log.warn({ campaign, unit, worker, failure }, 'a unit failed on a worker');
    // Not known for a failure that was told late: whoever is delivered the unit next decides by its attempts.
    const sites = this.#wanted.get(task)?.sites;
    const open = await openSites(this.#dispatch, { hash: unit, sites: sites ?? [] });
    const attempt = { unit, worker, kind: 'failed', gib: Number.parseFloat(address.memory), failure } as const;
    this.#dispatch.observer.onAttempt('failed');
    const isDone = sites !== undefined && open.length === 0;
    const { kind: judgement } = isDone ? { kind: 'failed' } : await settleAttempt(store, book, limits, attempt, open);
    const reply = held?.reply ?? leased.reply;
    if (judgement === 'failed' && sites !== undefined) await store.queue.acknowledge(reply);
    else if (held !== undefined && leases.isSure(held))
      await store.queue.giveBack(reply, judgement === 'again' ? aside : 0);
    wake.ring();
  }
}

function workerOf({ connection }: Told): string {
  return connection.hello.worker;
}
