import type { CoordinatorMessage, Lease as LeaseMessage, WorkerMessage } from '../../gen/fleet/v1/work.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { BlobAssembly, chunksOf } from '../../shared/fleet/blob.ts';
import { protocolVersion } from '../../shared/fleet/protocol.ts';
import type { Capabilities, Lease, WorkerHello } from '../../shared/fleet/task.ts';
import { finishedToMessage, leaseFromMessage, phaseToMessage } from '../../shared/fleet/task-message.ts';
import { failureToMessage } from '../../shared/fleet/unit-message.ts';
import { violation } from '../../shared/fleet/violation.ts';
import { unitHash } from '../../shared/unit/unit.ts';
import type { Clock } from './clock.ts';
import type { CoordinatorLink } from './coordinator-link.ts';
import { reasonAgainst } from './lease-check.ts';
import { type Observe, runTask } from './run-task.ts';
import { keptBytes, type TaskEntry, underSubject } from './task-entry.ts';
import type { WorkerObserver } from './worker-observer.ts';
import { initialState, nextState, type WorkerChange, type WorkerState } from './worker-state.ts';

/** What a worker is told when it is set up. */
export interface WorkerSetup {
  readonly name: string;
  readonly capabilities: Capabilities;
  /** Leases it holds at once; one of them runs. With 2 the next one is there when the first is done. */
  readonly slots: number;
  /** Milliseconds a draining worker has to finish what it does and to have it committed. */
  readonly grace: number;
  /** Bytes of results it keeps before it stops asking for work. */
  readonly keep: number;
}

/**
 * A worker of the fleet: takes leases from whichever coordinator hears it, runs them one after another, and keeps each
 * result until it is told to forget it. It holds no lease itself: a task it drops is delivered again.
 */
export class FleetWorker {
  readonly #setup: WorkerSetup;
  readonly #observe: Observe;
  readonly #link: CoordinatorLink;
  readonly #clock: Clock;
  readonly #observer: WorkerObserver;
  /** In the order of the leases. */
  readonly #tasks = new Map<string, TaskEntry>();
  /** What was said while nobody heard it. */
  #unheard: WorkerMessage[] = [];
  #state: WorkerState = initialState;
  /** Leases the coordinator may still send. */
  #granted = 0;
  #welcome = false;
  /** Finished tasks that the hello of this stream told. */
  #told: ReadonlySet<string> = new Set();
  #cancelGrace = (): void => undefined;
  #resolveStopped: (reason: string) => void = () => undefined;
  /** The reason it stopped for, when it has. */
  readonly stopped = new Promise<string>((resolve) => {
    this.#resolveStopped = resolve;
  });

  constructor(setup: WorkerSetup, observe: Observe, link: CoordinatorLink, clock: Clock, observer: WorkerObserver) {
    this.#setup = setup;
    this.#observe = observe;
    this.#link = link;
    this.#clock = clock;
    this.#observer = observer;
  }

  get state(): WorkerState {
    return this.#state;
  }

  /** Connects. */
  start(): void {
    this.#observer.onState(this.#state);
    this.#link.open({
      hello: () => this.#hello(),
      onMessage: (message) => {
        this.#take(message);
      },
      onLost: (cause, wait) => {
        this.#onLost(cause, wait);
      },
    });
  }

  /** Takes no more leases, gives back those that wait, and stops when what runs is done and committed, or grace is over. */
  drain(reason: string): void {
    if (this.#state.kind === 'draining' || this.#state.kind === 'stopped') return;
    for (const [task, entry] of [...this.#tasks])
      if (entry.kind === 'receiving' || entry.kind === 'waiting')
        this.#handBack(task, entry.lease.replySubject, reason);
    this.#say({ message: { $case: 'draining', value: {} } });
    this.#cancelGrace = this.#clock.after(this.#setup.grace, () => {
      for (const [task, entry] of [...this.#tasks]) {
        const { replySubject } = entry.kind === 'finished' ? entry.finished : entry.lease;
        if (entry.kind === 'running') entry.stop.abort(reason);
        this.#handBack(task, replySubject, `${reason}, and its grace period is over`);
      }
      this.#change({ kind: 'stop', reason: `${reason}: the grace period is over` });
    });
    this.#change({ kind: 'drain', reason });
    this.#changed();
  }

  #hello(): WorkerHello {
    const entries = [...this.#tasks.values()];
    this.#told = new Set([...this.#tasks].filter(([, { kind }]) => kind === 'finished').map(([task]) => task));
    return {
      protocol: protocolVersion,
      worker: this.#setup.name,
      capabilities: this.#setup.capabilities,
      running: entries.flatMap((entry) => {
        if (entry.kind !== 'running' && entry.kind !== 'waiting') return [];
        const { task, unit, sites, replySubject } = entry.lease;
        const phase = entry.kind === 'running' ? entry.phase : ({ kind: 'waiting' } as const);
        return [{ task, unit: unitHash(unit), sites, replySubject, phase }];
      }),
      finished: entries.flatMap((entry) => (entry.kind === 'finished' ? [entry.finished] : [])),
    };
  }

  #take({ message }: CoordinatorMessage): void {
    if (message?.$case !== 'welcome' && !this.#welcome) throw violation('welcome', 'it has to be the first message');
    switch (message?.$case) {
      case 'welcome': {
        this.#welcome = true;
        this.#change({ kind: 'connected', coordinator: message.value.coordinator });
        const unheard = this.#unheard;
        this.#unheard = [];
        for (const each of unheard) this.#say(each);
        // Between hello and welcome something may have ended.
        for (const [task, entry] of this.#tasks)
          if (entry.kind === 'finished' && !this.#told.has(task))
            this.#say({ message: { $case: 'finished', value: finishedToMessage(entry.finished) } });
        if (this.#state.kind === 'draining') this.#say({ message: { $case: 'draining', value: {} } });
        this.#changed();
        return;
      }
      case 'lease': {
        this.#granted = Math.max(0, this.#granted - 1);
        this.#takeLease(message.value);
        this.#changed();
        return;
      }
      case 'chunk': {
        const { task, blob, data } = message.value;
        const entry = this.#tasks.get(task);
        // A lease that was handed back at once: its states may be on their way still.
        if (entry?.kind !== 'receiving') return;
        entry.states.add({ blob, data });
        const { result } = entry.states;
        if (result !== undefined) this.#tasks.set(task, { kind: 'waiting', lease: entry.lease, states: result });
        this.#changed();
        return;
      }
      case 'send': {
        void this.#sendResult(message.value.task);
        return;
      }
      case 'forget': {
        if (this.#tasks.get(message.value.task)?.kind === 'finished') this.#tasks.delete(message.value.task);
        this.#changed();
        return;
      }
      case 'cancel': {
        this.#cancel(message.value.task, message.value.reason);
        this.#changed();
        return;
      }
      case 'drain': {
        this.drain(`coordinator: ${message.value.reason}`);
        return;
      }
      case undefined:
        throw violation('message', 'it is of no kind that this release knows');
    }
  }

  #takeLease(message: LeaseMessage): void {
    const { lease, states } = leaseFromMessage(message);
    const known = this.#tasks.get(lease.task);
    if (known !== undefined && known.kind !== 'receiving') {
      const entry = underSubject(known, lease.replySubject);
      this.#tasks.set(lease.task, entry);
      if (entry.kind === 'finished')
        this.#say({ message: { $case: 'finished', value: finishedToMessage(entry.finished) } });
      else this.#progress(lease.task, entry);
      return;
    }
    const reason =
      this.#state.kind === 'draining' ? 'this worker drains' : reasonAgainst(lease, this.#setup.capabilities);
    if (reason !== undefined) {
      this.#handBack(lease.task, lease.replySubject, reason);
      return;
    }
    this.#observer.onLease(lease);
    this.#tasks.set(
      lease.task,
      states.length === 0
        ? { kind: 'waiting', lease, states: undefined }
        : { kind: 'receiving', lease, states: new BlobAssembly(states) },
    );
  }

  /** After anything that could let a task begin, or let the worker ask for one. */
  #changed(): void {
    const entries = [...this.#tasks.values()];
    const open = entries.filter(({ kind }) => kind !== 'finished').length;
    this.#change({ kind: 'work', tasks: open, kept: entries.length - open });
    if (this.#state.kind === 'stopped') return;
    const next = entries.find((entry) => entry.kind === 'waiting');
    if (next !== undefined && !entries.some(({ kind }) => kind === 'running')) {
      void this.#run(next.lease, next.states);
      return;
    }
    const kept = entries.reduce((sum, entry) => sum + keptBytes(entry), 0);
    const added = this.#setup.slots - open - this.#granted;
    if (added <= 0 || !this.#welcome || this.#state.kind === 'draining' || kept > this.#setup.keep) return;
    this.#granted += added;
    this.#say({ message: { $case: 'credits', value: { added } } });
  }

  async #run(lease: Lease, states: readonly Uint8Array[] | undefined): Promise<void> {
    const { task } = lease;
    const stop = new AbortController();
    this.#enter(task, { kind: 'running', lease, phase: { kind: 'waiting' }, stop });
    this.#changed();
    try {
      const result = await runTask(this.#observe, lease, states, this.#clock, stop.signal, (phase) => {
        const entry = this.#tasks.get(task);
        if (entry?.kind === 'running') this.#enter(task, { ...entry, phase });
      });
      const entry = this.#tasks.get(task);
      // Given up meanwhile, without waiting for its end.
      if (entry?.kind !== 'running' || entry.stop !== stop) return;
      const finished = { ...result.finished, replySubject: entry.lease.replySubject };
      this.#tasks.set(task, { kind: 'finished', finished, blobs: result.blobs });
      this.#observer.onFinished(lease, finished);
      // If nobody hears it, the next hello or welcome says it.
      if (this.#welcome) this.#say({ message: { $case: 'finished', value: finishedToMessage(finished) } });
    } catch (error) {
      this.#onFailure(task, stop, error);
    }
    this.#changed();
  }

  #onFailure(task: string, stop: AbortController, error: unknown): void {
    const entry = this.#tasks.get(task);
    if (entry?.kind !== 'running' || entry.stop !== stop) return;
    const { replySubject } = entry.lease;
    if (stop.signal.aborted) {
      this.#handBack(task, replySubject, String(stop.signal.reason));
      return;
    }
    this.#tasks.delete(task);
    this.#observer.onFailed(entry.lease, error);
    this.#say({ message: { $case: 'failed', value: { task, failure: failureToMessage(error), replySubject } } });
    // The thread that runs models is gone, and this process cannot have another one with a clean device.
    if (error instanceof LetheError && error.code === 'session-lost') this.drain('the session thread is gone');
  }

  #enter(task: string, entry: TaskEntry): void {
    this.#tasks.set(task, entry);
    if (this.#welcome) this.#progress(task, entry);
  }

  #progress(task: string, entry: TaskEntry): void {
    const phase = entry.kind === 'running' ? entry.phase : ({ kind: 'waiting' } as const);
    this.#say({ message: { $case: 'progress', value: { task, phase: phaseToMessage(phase) } } });
  }

  #cancel(task: string, reason: string): void {
    const entry = this.#tasks.get(task);
    if (entry?.kind === 'running') entry.stop.abort(reason);
    else if (entry?.kind === 'finished') this.#tasks.delete(task);
    else if (entry !== undefined) this.#handBack(task, entry.lease.replySubject, reason);
  }

  #handBack(task: string, replySubject: string, reason: string): void {
    this.#tasks.delete(task);
    this.#observer.onHandedBack(task, reason);
    this.#say({ message: { $case: 'handedBack', value: { task, reason, replySubject } } });
  }

  async #sendResult(task: string): Promise<void> {
    const entry = this.#tasks.get(task);
    if (entry?.kind !== 'finished') return;
    try {
      for (const { blob, data } of chunksOf(entry.blobs))
        await this.#link.send({ message: { $case: 'chunk', value: { task, blob, data: Buffer.from(data) } } });
    } catch (error) {
      // The next coordinator is told of it by the hello, and asks again.
      this.#observer.onUnsent(task, error);
    }
  }

  #say(message: WorkerMessage): void {
    if (this.#welcome && this.#link.say(message)) return;
    const kind = message.message?.$case;
    if (kind === 'failed' || kind === 'handedBack') this.#unheard.push(message);
  }

  #onLost(cause: unknown, wait: number | undefined): void {
    this.#welcome = false;
    this.#granted = 0;
    // What had not arrived whole was never begun: its lease runs out, and it is delivered again.
    for (const [task, entry] of [...this.#tasks]) if (entry.kind === 'receiving') this.#tasks.delete(task);
    this.#observer.onLost(cause, wait);
    this.#change({ kind: 'disconnected' });
    this.#changed();
  }

  #change(change: WorkerChange): void {
    const before = this.#state;
    this.#state = nextState(before, change);
    if (before.kind !== this.#state.kind) this.#observer.onState(this.#state);
    if (this.#state.kind !== 'stopped' || before.kind === 'stopped') return;
    this.#cancelGrace();
    const { reason } = this.#state;
    void this.#link.close(1000).then(() => {
      this.#resolveStopped(reason);
    });
  }
}
