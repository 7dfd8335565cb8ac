import type { Lease as LeaseMessage } from '../../gen/fleet/v1/work.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { protocolVersion } from '../../shared/fleet/protocol.ts';
import { leaseFromMessage } from '../../shared/fleet/task-message.ts';
import type { Clock } from './clock.ts';
import { Conversation, type Instruction } from './conversation.ts';
import type { CoordinatorLink } from './coordinator-link.ts';
import { reasonAgainst } from './lease-check.ts';
import { type RunUnit, runTask } from './run-task.ts';
import type { WaitingEntry } from './task-entry.ts';
import { phaseOf, TaskTable } from './task-table.ts';
import { WorkerLifecycle } from './worker-lifecycle.ts';
import type { WorkerObserver } from './worker-observer.ts';
import type { WorkerSetup } from './worker-setup.ts';

/** Milliseconds that a coordinator has to hear the last words of a worker. */
const lastWords = 1000;

/**
 * A worker of the fleet: takes leases from whichever coordinator hears it, runs them one after another, and keeps each
 * result until it is told to forget it. It holds no lease itself: a task it drops is delivered again.
 */
export class FleetWorker {
  readonly #setup: WorkerSetup;
  readonly #runUnit: RunUnit;
  readonly #conversation: Conversation;
  readonly #clock: Clock;
  readonly #observer: WorkerObserver;
  readonly #tasks: TaskTable;
  readonly #lifecycle: WorkerLifecycle;
  #cancelGrace = (): void => undefined;
  /** The reason it stopped for, when it has. */
  readonly stopped: Promise<string>;

  constructor(setup: WorkerSetup, runUnit: RunUnit, link: CoordinatorLink, clock: Clock, observer: WorkerObserver) {
    this.#setup = setup;
    this.#runUnit = runUnit;
    this.#clock = clock;
    this.#observer = observer;
    this.#tasks = new TaskTable(setup.slots, setup.keep);
    const { name: worker, capabilities } = setup;
    this.#conversation = new Conversation(link, {
      hello: () => ({ protocol: protocolVersion, worker, capabilities, ...this.#tasks.told }),
      onWelcome: (coordinator) => {
        this.#lifecycle.change({ kind: 'connected', coordinator });
        if (this.#lifecycle.state.kind === 'draining') this.#conversation.draining();
        this.#changed();
      },
      onInstruction: (instruction) => {
        this.#follow(instruction);
      },
      onLost: (cause, wait) => {
        this.#tasks.disconnect();
        this.#observer.onLost(cause, wait);
        this.#lifecycle.change({ kind: 'disconnected' });
        this.#changed();
      },
      onUnsent: (task, cause) => {
        observer.onUnsent(task, cause);
      },
    });
    this.#lifecycle = new WorkerLifecycle(observer, () => {
      this.#cancelGrace();
      return this.#conversation.close(lastWords);
    });
    this.stopped = this.#lifecycle.stopped;
  }

  /** Connects. */
  start(): void {
    this.#lifecycle.start();
    this.#conversation.open();
  }

  /** Takes no more leases, gives back those that wait, and stops when what runs is done and committed, or grace is over. */
  drain(reason: string): void {
    const { kind } = this.#lifecycle.state;
    if (kind === 'draining' || kind === 'stopped') return;
    for (const [task, entry] of this.#tasks.entries)
      if (entry.kind === 'receiving' || entry.kind === 'waiting')
        this.#handBack(task, entry.lease.replySubject, reason);
    this.#conversation.draining();
    this.#cancelGrace = this.#clock.after(this.#setup.grace, () => {
      for (const [task, entry] of this.#tasks.entries) {
        const { replySubject } = entry.kind === 'finished' ? entry.finished : entry.lease;
        if (entry.kind === 'running') entry.stop.abort(reason);
        this.#handBack(task, replySubject, `${reason}, and its grace period is over`);
      }
      this.#lifecycle.change({ kind: 'stop', reason: `${reason}: the grace period is over` });
    });
    this.#lifecycle.change({ kind: 'drain', reason });
    this.#changed();
  }

  #follow(instruction: Instruction): void {
    switch (instruction.$case) {
      case 'lease':
        this.#tasks.spendCredit();
        this.#takeLease(instruction.value);
        break;
      case 'chunk':
        this.#tasks.receive(instruction.value.task, instruction.value);
        break;
      case 'send': {
        const { task } = instruction.value;
        const entry = this.#tasks.get(task);
        if (entry?.kind === 'finished') this.#conversation.sendResult(task, entry.blobs);
        return;
      }
      case 'forget':
        if (this.#tasks.get(instruction.value.task)?.kind === 'finished') this.#tasks.drop(instruction.value.task);
        break;
      case 'cancel':
        this.#cancel(instruction.value.task, instruction.value.reason);
        break;
      case 'drain':
        this.drain(`coordinator: ${instruction.value.reason}`);
        return;
    }
    this.#changed();
  }

  #takeLease(message: LeaseMessage): void {
    const { lease, states } = leaseFromMessage(message);
    this.#tasks.leaveToStop(lease.task);
    const known = this.#tasks.renew(lease.task, lease.replySubject);
    if (known !== undefined) {
      if (known.kind === 'finished') this.#conversation.finished(known.finished);
      else this.#conversation.progress(lease.task, phaseOf(known));
      return;
    }
    const reason =
      this.#lifecycle.state.kind === 'draining' ? 'this worker drains' : reasonAgainst(lease, this.#setup.capabilities);
    if (reason !== undefined) {
      this.#handBack(lease.task, lease.replySubject, reason);
      return;
    }
    this.#observer.onLease(lease);
    this.#tasks.take(lease, states);
  }

  /** After anything that could let a task begin, or let the worker ask for one. */
  #changed(): void {
    this.#lifecycle.change({ kind: 'work', ...this.#tasks.counts });
    if (this.#lifecycle.state.kind === 'stopped') return;
    const { next } = this.#tasks;
    if (next !== undefined) void this.#run(next);
    if (next !== undefined || !this.#conversation.isHeard || this.#lifecycle.state.kind === 'draining') return;
    const added = this.#tasks.grant();
    if (added > 0) this.#conversation.credits(added);
  }

  async #run({ lease, states }: WaitingEntry): Promise<void> {
    const { task } = lease;
    const stop = new AbortController();
    this.#conversation.progress(task, phaseOf(this.#tasks.run(lease, stop)));
    this.#changed();
    try {
      const result = await runTask(this.#runUnit, lease, states, this.#clock, stop.signal, (phase) => {
        const entry = this.#tasks.runningAs(task, stop);
        if (entry !== undefined) this.#conversation.progress(task, phaseOf(this.#tasks.enter(entry, phase)));
      });
      const entry = this.#tasks.runningAs(task, stop);
      if (entry !== undefined) {
        const finished = this.#tasks.finish(entry, result);
        this.#observer.onFinished(lease, finished);
        this.#conversation.finished(finished);
      }
    } catch (error) {
      this.#onFailure(task, stop, error);
    }
    this.#tasks.ended(stop);
    this.#changed();
  }

  #onFailure(task: string, stop: AbortController, error: unknown): void {
    const entry = this.#tasks.runningAs(task, stop);
    if (entry === undefined) return;
    const { replySubject } = entry.lease;
    if (stop.signal.aborted) {
      this.#handBack(task, replySubject, String(stop.signal.reason));
      return;
    }
    this.#tasks.drop(task);
    this.#observer.onFailed(entry.lease, error);
    this.#conversation.failed(task, error, replySubject);
    // The thread that runs models is gone, and this process cannot have another one with a clean device.
    if (error instanceof LetheError && error.code === 'session-lost') this.drain('the session thread is gone');
  }

  #cancel(task: string, reason: string): void {
    const entry = this.#tasks.get(task);
    if (entry?.kind === 'running') entry.stop.abort(reason);
    else if (entry?.kind === 'finished') this.#tasks.drop(task);
    else if (entry !== undefined) this.#handBack(task, entry.lease.replySubject, reason);
  }

  #handBack(task: string, replySubject: string, reason: string): void {
    this.#tasks.drop(task);
    this.#observer.onHandedBack(task, reason);
    this.#conversation.handedBack(task, reason, replySubject);
  }
}
