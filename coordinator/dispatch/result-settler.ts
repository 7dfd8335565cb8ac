import { randomUUID } from 'node:crypto';
import { parseReplySubject, type ReplySubject } from '../../shared/bus/lease.ts';
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
import { settleAttempt } from './settle-attempt.ts';

/** Codes after which the same is tried again: nothing is wrong with the result. */
const passing: readonly string[] = ['bus-unavailable', 'bus-store-failed'];

/** Brings what workers give to its end: commits results, settles failures, and ends the leases. */
export class ResultSettler {
  readonly #dispatch: Dispatch;
  readonly #clock: Clock;
  readonly #sites: Map<string, readonly Output[]>;
  /** Results that could not be committed yet, by task. */
  readonly #uncommitted = new Map<string, { readonly connection: ConnectedWorker; readonly finished: FinishedTask }>();
  readonly #committing = new Set<string>();
  /** Why results that wait to be committed do, by task. */
  readonly #troubles = new Map<string, LetheError>();

  /** @param sites that a task is wanted for, by task; those of a committed one are removed */
  constructor(dispatch: Dispatch, clock: Clock, sites: Map<string, readonly Output[]>) {
    this.#dispatch = dispatch;
    this.#clock = clock;
    this.#sites = sites;
  }

  /** What could not be committed is tried again. */
  retry(): void {
    const waiting = [...this.#uncommitted.values()];
    this.#uncommitted.clear();
    for (const { connection, finished } of waiting) this.finish(connection, finished);
  }

  /** The worker of a task is gone: it is not committed from here. */
  forget(task: string): void {
    this.#uncommitted.delete(task);
    this.#troubles.delete(task);
  }

  /** Why a result of a campaign cannot be stored now, if there is one that cannot. */
  trouble(campaign: string): LetheError | undefined {
    return [...this.#troubles].find(([task]) => parseUnitSubject(task)?.campaign === campaign)?.[1];
  }

  /** A worker has a result: it is collected and committed, or counts as an attempt that failed. */
  finish(connection: ConnectedWorker, finished: FinishedTask): void {
    const { task } = finished;
    if (this.#committing.has(task)) return;
    this.#committing.add(task);
    enterPhase(this.#dispatch, this.#clock, task, { kind: 'committing' });
    this.#commit(connection, finished)
      .then(() => {
        this.#troubles.delete(task);
      })
      .catch((error: unknown) => {
        const code = error instanceof LetheError ? error.code : '';
        this.#troubles.delete(task);
        this.#dispatch.log.warn({ task, worker: connection.hello.worker, err: error }, 'cannot commit a result');
        if (code === 'fleet-lost') return undefined;
        if (error instanceof LetheError && passing.includes(code)) {
          this.#uncommitted.set(task, { connection, finished });
          this.#troubles.set(task, error);
          return undefined;
        }
        // The result itself is at fault: an attempt like any other that failed.
        connection.forget(task);
        return this.fail(connection.hello.worker, task, failureOf(error), finished.replySubject);
      })
      .catch((error: unknown) => {
        this.#dispatch.log.warn({ err: error }, 'cannot settle a result');
      })
      .finally(() => {
        this.#committing.delete(task);
      });
  }

  async #commit(connection: ConnectedWorker, finished: FinishedTask): Promise<void> {
    const { store, leases, workers, wake, log } = this.#dispatch;
    const { task, unit, sites } = finished;
    const { worker } = connection.hello;
    const open = await openSites(this.#dispatch, { hash: unit, sites });
    if (open.length > 0) {
      const blobs = await connection.collect(finished);
      const won = await commitResult(store, worker, { ...finished, sites: open }, blobs, randomUUID());
      if (won.length > 0) {
        workers.finished(worker, finished.calls, finished.timings);
        this.#dispatch.observer.onResult(finished);
      }
      log.debug({ unit, worker, won }, 'result');
    }
    const reply = leases.get(task)?.reply ?? replyOf(finished.replySubject);
    leases.drop(task);
    if (reply !== undefined) await store.queue.acknowledge(reply);
    connection.forget(task);
    this.#sites.delete(task);
    wake.ring();
  }

  /** An attempt gave no result: it is recorded, and the unit waits for another one or has failed. */
  async fail(
    worker: string,
    task: string,
    failure: RemoteFailure | StoredFailure,
    replySubject: string,
  ): Promise<void> {
    const { store, book, leases, limits, wake, log } = this.#dispatch;
    const address = parseUnitSubject(task);
    const held = leases.get(task);
    leases.drop(task);
    if (address === undefined) return;
    const { unit, campaign } = address;
    log.warn({ campaign, unit, worker, failure }, 'a unit failed on a worker');
    // Not known for a failure that was told late: whoever is delivered the unit next decides by its attempts.
    const sites = this.#sites.get(task);
    const open = await openSites(this.#dispatch, { hash: unit, sites: sites ?? [] });
    const attempt = { unit, worker, kind: 'failed', gib: Number.parseFloat(address.memory), failure } as const;
    this.#dispatch.observer.onAttempt('failed');
    const isDone = sites !== undefined && open.length === 0;
    const { kind: judgement } = isDone ? { kind: 'failed' } : await settleAttempt(store, book, limits, attempt, open);
    const reply = held?.reply ?? replyOf(replySubject);
    if (reply === undefined) return;
    if (judgement === 'failed' && sites !== undefined) await store.queue.acknowledge(reply);
    else if (held !== undefined && leases.isSure(held))
      await store.queue.giveBack(reply, judgement === 'again' ? aside : 0);
    wake.ring();
  }
}

/** A worker's word for its lease; undefined if it is none. */
export function replyOf(text: string): ReplySubject | undefined {
  try {
    return parseReplySubject(text);
  } catch {
    return undefined;
  }
}
