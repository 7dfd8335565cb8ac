import { parseUnitSubject } from '../../shared/bus/names.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import type { RunningTask } from '../../shared/fleet/task.ts';
import type { Output } from '../../shared/unit/unit.ts';
import type { ConnectedWorker, WorkerEvent, WorkerGate } from '../api/worker-gate.ts';
import type { Clock } from './clock.ts';
import type { Dispatch } from './dispatch.ts';
import { enterPhase } from './enter-phase.ts';
import { openSites } from './hand-out.ts';
import { noteLost } from './keep-leases.ts';
import { ResultSettler, type Wanted } from './result-settler.ts';

/** Hears the workers of this coordinator: keeps their leases, and hands what they give to be settled. */
export class Dispatcher implements WorkerGate {
  readonly #dispatch: Dispatch;
  readonly #clock: Clock;
  readonly #results: ResultSettler;
  /** By task. */
  readonly #wanted = new Map<string, Wanted>();

  constructor(dispatch: Dispatch, clock: Clock) {
    this.#dispatch = dispatch;
    this.#clock = clock;
    this.#results = new ResultSettler(dispatch, clock, this.#wanted);
  }

  onWorker(connection: ConnectedWorker): (event: WorkerEvent) => void {
    const { hello } = connection;
    const { workers, leases, log } = this.#dispatch;
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
    // What an earlier stream of its was leased and it knows nothing of never reached it, or is lost.
    const known = new Set([...hello.running, ...hello.finished].map(({ task }) => task));
    for (const { task } of leases.of(hello.worker)) if (!known.has(task)) leases.drop(task);
    for (const task of hello.running) this.#attempt('take over a task', () => this.#takeOver(connection, task));
    for (const task of hello.finished) this.#results.finish(connection, task);
    this.#dispatch.wake.ring();
    return (event) => {
      this.#hear(connection, event);
    };
  }

  /** What could not be committed is tried again. To be called now and then. */
  retry(): void {
    this.#results.retry();
  }

  /** Why a result of a campaign cannot be stored now, if there is one that cannot. */
  trouble(campaign: string): LetheError | undefined {
    return this.#results.trouble(campaign);
  }

  sitesOf(task: string): readonly Output[] {
    return this.#wanted.get(task)?.sites ?? [];
  }

  /** A task has been leased to one of the workers. */
  leased(task: string, wanted: Wanted): void {
    this.#wanted.set(task, wanted);
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
        if (leases.get(event.task)?.worker === worker) enterPhase(this.#dispatch, this.#clock, event.task, event.phase);
        return;
      case 'finished':
        this.#results.finish(connection, event.finished);
        return;
      case 'failed':
        this.#attempt('settle a failure', () =>
          this.#results.fail(worker, event.task, event.failure, event.replySubject),
        );
        return;
      case 'handed-back': {
        log.info({ worker, task: event.task, reason: event.reason }, 'a worker gave a task back');
        const held = leases.get(event.task);
        // Asked to stop by this coordinator, which has dropped the lease before.
        if (held?.worker !== worker) return;
        workers.refused(worker, event.task, event.reason);
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

  /** Its leases end by themselves, unless the worker comes back first: here, or at another coordinator. */
  #gone(connection: ConnectedWorker, cause: LetheError): void {
    const { leases, workers, log } = this.#dispatch;
    const { worker } = connection.hello;
    if (!workers.remove(connection)) return;
    const held = leases.of(worker);
    log.info({ worker, leases: held.length, cause: cause.message }, 'worker gone');
    for (const lease of held) {
      leases.drop(lease.task);
      this.#results.forget(worker, lease.task);
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
    const leased = this.#dispatch.tickets.open(worker, task, replySubject);
    if (address === undefined || leased === undefined || address.unit !== unit) {
      connection.cancel(task, 'no coordinator of this fleet has leased it to this worker');
      return;
    }
    const { reply } = leased;
    const open = await openSites(this.#dispatch, { hash: unit, sites });
    if (open.length === 0) {
      connection.cancel(task, 'its result is there already');
      return;
    }
    if ((await store.queue.renew(reply)) === 'gone') {
      connection.cancel(task, 'its campaign is over');
      return;
    }
    if (!workers.isCurrent(connection)) return;
    log.info({ worker, campaign: address.campaign, unit }, 'took over a task');
    const { items, workload } = this.#wanted.get(task) ?? {};
    this.leased(task, { sites, items, workload });
    // Told in order: progress may have come while the server was asked.
    if (leases.get(task) !== undefined) return;
    const gib = Number.parseFloat(address.memory);
    leases.hold({ task, campaign: address.campaign, worker, reply, phase, gib, workload });
  }

  #attempt(what: string, action: () => Promise<unknown>): void {
    action().catch((error: unknown) => {
      this.#dispatch.log.warn({ err: error }, `cannot ${what}`);
    });
  }
}
