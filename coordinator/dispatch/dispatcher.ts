import { randomUUID } from 'node:crypto';
import { parseReplySubject, type ReplySubject } from '../../shared/bus/lease.ts';
import { parseUnitSubject } from '../../shared/bus/names.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import type { FinishedTask, RemoteFailure, RunningTask } from '../../shared/fleet/task.ts';
import type { Output } from '../../shared/unit/unit.ts';
import type { ConnectedWorker, WorkerEvent, WorkerGate } from '../api/worker-gate.ts';
import { commitResult } from '../collect/commit-result.ts';
import { failureOf, type StoredFailure } from '../store/stored-json.ts';
import type { Dispatch } from './dispatch.ts';
import { aside, openSites } from './hand-out.ts';
import { noteLost } from './keep-leases.ts';
import type { Clock } from './clock.ts';
import type { LeasePhase } from './lease-table.ts';
import { settleAttempt } from './settle-attempt.ts';

/** Codes after which the same is tried again: nothing is wrong with the result. */
const passing: readonly string[] = ['bus-unavailable', 'bus-store-failed'];

/** Hears the workers of this coordinator: keeps their leases, commits their results, settles their failures. */
export class Dispatcher implements WorkerGate {
  readonly #dispatch: Dispatch;
  readonly #clock: Clock;
  /** Results that could not be committed yet, by task. */
  readonly #uncommitted = new Map<string, { readonly connection: ConnectedWorker; readonly finished: FinishedTask }>();
  readonly #committing = new Set<string>();
  /** Sites that a task is wanted for. */
  readonly #sites = new Map<string, readonly Output[]>();

  constructor(dispatch: Dispatch, clock: Clock) {
    this.#dispatch = dispatch;
    this.#clock = clock;
  }

  onWorker(connection: ConnectedWorker): (event: WorkerEvent) => void {
    const { hello } = connection;
    const { workers, log } = this.#dispatch;
    const { numerics, checkpoints } = hello.capabilities;
    const running = hello.running.length;
    const finished = hello.finished.length;
    log.info({ worker: hello.worker, numerics, checkpoints, running, finished }, 'worker connected');
    workers.add(connection)?.disconnect(
      new LetheError('fleet-lost', {
        what: 'the stream is over',
        why: `worker ${hello.worker} has opened another one`,
        next: 'give every worker a name of its own',
      }),
    );
    for (const task of hello.running) this.#attempt('take over a task', () => this.#takeOver(connection, task));
    for (const task of hello.finished) this.#finish(connection, task);
    this.#dispatch.wake.ring();
    return (event) => {
      this.#hear(connection, event);
    };
  }

  /** What could not be committed is tried again. To be called now and then. */
  retry(): void {
    const waiting = [...this.#uncommitted.values()];
    this.#uncommitted.clear();
    for (const { connection, finished } of waiting) this.#finish(connection, finished);
  }

  sitesOf(task: string): readonly Output[] {
    return this.#sites.get(task) ?? [];
  }

  /** A task has been leased to one of the workers. */
  leased(task: string, sites: readonly Output[]): void {
    this.#sites.set(task, sites);
  }

  /** The worker of a task of a campaign that is over stops. */
  cancel(campaign: string, reason: string): void {
    const { leases, workers } = this.#dispatch;
    for (const { task, worker, campaign: of } of leases.all) {
      if (of !== campaign) continue;
      leases.drop(task);
      workers.get(worker)?.cancel(task, reason);
    }
  }

  #hear(connection: ConnectedWorker, event: WorkerEvent): void {
    const { leases, workers, wake, log } = this.#dispatch;
    const { worker } = connection.hello;
    switch (event.kind) {
      case 'credits':
        wake.ring();
        return;
      case 'progress':
        this.#enter(event.task, event.phase);
        return;
      case 'finished':
        this.#finish(connection, event.finished);
        return;
      case 'failed':
        this.#attempt('settle a failure', () => this.#fail(worker, event.task, event.failure, event.replySubject));
        return;
      case 'handed-back': {
        log.info({ worker, task: event.task, reason: event.reason }, 'a worker gave a task back');
        const held = leases.get(event.task);
        // Asked to stop by this coordinator, which has dropped the lease before.
        if (held?.worker !== worker) return;
        workers.refused(worker, event.task);
        leases.drop(event.task);
        if (leases.isSure(held))
          this.#attempt('give a unit back', () => this.#dispatch.store.queue.giveBack(held.reply));
        return;
      }
      case 'draining':
        workers.drains(worker);
        return;
      case 'gone':
        this.#gone(connection, event.cause);
        return;
    }
  }

  #enter(task: string, phase: LeasePhase): void {
    const { leases, times } = this.#dispatch;
    const before = leases.get(task);
    if (before !== undefined) times.took(before.phase.kind, this.#clock.now() - before.since);
    leases.enter(task, phase);
  }

  /** Its leases end by themselves, unless the worker comes back first: here, or at another coordinator. */
  #gone(connection: ConnectedWorker, cause: LetheError): void {
    const { leases, workers, log } = this.#dispatch;
    const { worker } = connection.hello;
    if (!workers.remove(connection)) return;
    const held = leases.of(worker);
    log.info({ worker, leases: held.length, cause: cause.message }, 'worker gone');
    for (const lease of held) {
      leases.drop(lease.task);
      this.#uncommitted.delete(lease.task);
      // What had not begun says nothing of the unit.
      if (lease.phase.kind === 'waiting' || lease.phase.kind === 'committing') continue;
      this.#attempt('note a lost lease', () =>
        noteLost(this.#dispatch, lease, `its stream ended while it was ${lease.phase.kind}`, this.sitesOf(lease.task)),
      );
    }
  }

  /** A task that the worker runs under another coordinator's lease. */
  async #takeOver(connection: ConnectedWorker, { task, unit, sites, replySubject, phase }: RunningTask): Promise<void> {
    const { store, leases, workers, log } = this.#dispatch;
    const { worker } = connection.hello;
    const address = parseUnitSubject(task);
    const reply = replyOf(replySubject);
    const open = await openSites(this.#dispatch, { hash: unit, sites });
    if (address === undefined || reply === undefined || open.length === 0) {
      connection.cancel(task, open.length === 0 ? 'its result is there already' : 'it names no unit of the queue');
      return;
    }
    if ((await store.queue.renew(reply)) === 'gone') {
      connection.cancel(task, 'its campaign is over');
      return;
    }
    if (!workers.isCurrent(connection)) return;
    log.info({ worker, campaign: address.campaign, unit }, 'took over a task');
    this.leased(task, sites);
    // Told in order: progress may have come while the server was asked.
    if (leases.get(task) !== undefined) return;
    leases.hold({ task, campaign: address.campaign, worker, reply, phase, gib: Number.parseFloat(address.memory) });
  }

  #finish(connection: ConnectedWorker, finished: FinishedTask): void {
    const { task } = finished;
    if (this.#committing.has(task)) return;
    this.#committing.add(task);
    this.#enter(task, { kind: 'committing' });
    this.#commit(connection, finished)
      .catch((error: unknown) => {
        const code = error instanceof LetheError ? error.code : '';
        this.#dispatch.log.warn({ task, worker: connection.hello.worker, err: error }, 'cannot commit a result');
        if (code === 'fleet-lost') return undefined;
        if (passing.includes(code)) {
          this.#uncommitted.set(task, { connection, finished });
          return undefined;
        }
        // The result itself is at fault: an attempt like any other that failed.
        connection.forget(task);
        return this.#fail(connection.hello.worker, task, failureOf(error), finished.replySubject);
      })
      .catch((error: unknown) => {
        this.#complain('settle a result', error);
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

  async #fail(
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

  #attempt(what: string, action: () => Promise<unknown>): void {
    action().catch((error: unknown) => {
      this.#complain(what, error);
    });
  }

  #complain(what: string, error: unknown): void {
    this.#dispatch.log.warn({ err: error }, `cannot ${what}`);
  }
}

/** A worker's word for its lease; undefined if it is none. */
function replyOf(text: string): ReplySubject | undefined {
  try {
    return parseReplySubject(text);
  } catch {
    return undefined;
  }
}
