import { BlobAssembly, type BlobChunk } from '../../shared/fleet/blob.ts';
import type { BlobSummary, FinishedTask, Lease, RunningTask, TaskPhase, WorkerHello } from '../../shared/fleet/task.ts';
import { unitHash } from '../../shared/unit/unit.ts';
import { keptBytes, type RunningEntry, type TaskEntry, underSubject, type WaitingEntry } from './task-entry.ts';
import type { TaskResult } from './run-task.ts';

/** The tasks in a worker's hands, in the order of their leases, and the leases it may still be sent. */
export class TaskTable {
  readonly #slots: number;
  readonly #keep: number;
  readonly #entries = new Map<string, TaskEntry>();
  /** Runs that are stopping although their tasks were leased again: the device is theirs until they end. */
  readonly #stopping = new Set<AbortController>();
  /** Leases the coordinator may still send. */
  #granted = 0;

  /**
   * @param slots leases held at once
   * @param keep bytes of results beyond which no more work is asked for
   */
  constructor(slots: number, keep: number) {
    this.#slots = slots;
    this.#keep = keep;
  }

  get(task: string): TaskEntry | undefined {
    return this.#entries.get(task);
  }

  /** What there is now; may be changed while one goes through it. */
  get entries(): readonly (readonly [task: string, entry: TaskEntry])[] {
    return [...this.#entries];
  }

  /** What a coordinator is told of them: those that run or wait to, unless they stop, and the results that are kept. */
  get told(): Pick<WorkerHello, 'running' | 'finished'> {
    const running: RunningTask[] = [];
    const finished: FinishedTask[] = [];
    for (const entry of this.#entries.values()) {
      if (entry.kind === 'finished') finished.push(entry.finished);
      if ((entry.kind !== 'running' && entry.kind !== 'waiting') || isStopping(entry)) continue;
      const { task, unit, sites, replySubject } = entry.lease;
      running.push({ task, unit: unitHash(unit), sites, replySubject, phase: phaseOf(entry) });
    }
    return { running, finished };
  }

  /** Tasks that are not finished, and results that are kept. */
  get counts(): { readonly tasks: number; readonly kept: number } {
    const kept = [...this.#entries.values()].filter(({ kind }) => kind === 'finished').length;
    return { tasks: this.#entries.size - kept, kept };
  }

  /** A lease was sent: one less may be. */
  spendCredit(): void {
    this.#granted = Math.max(0, this.#granted - 1);
  }

  /** How many more leases to ask for; they count as granted from here on. */
  grant(): number {
    const bytes = [...this.#entries.values()].reduce((sum, entry) => sum + keptBytes(entry), 0);
    const added = bytes > this.#keep ? 0 : Math.max(0, this.#slots - this.counts.tasks - this.#granted);
    this.#granted += added;
    return added;
  }

  /** The entry of a task that is leased again, under its new reply subject; undefined if it has to be taken from the start. */
  renew(task: string, replySubject: string): TaskEntry | undefined {
    const known = this.#entries.get(task);
    return known === undefined || known.kind === 'receiving'
      ? undefined
      : this.#set(task, underSubject(known, replySubject));
  }

  /** A task is leased again: if its run was stopped and has not ended yet, it can give the new lease no result. */
  leaveToStop(task: string): void {
    const entry = this.#entries.get(task);
    if (entry?.kind !== 'running' || !isStopping(entry)) return;
    this.#entries.delete(task);
    this.#stopping.add(entry.stop);
  }

  /** A run has ended, whichever way. */
  ended(stop: AbortController): void {
    this.#stopping.delete(stop);
  }

  /** Takes a lease. Without states it goes on from, it can run at once. */
  take(lease: Lease, states: readonly BlobSummary[]): void {
    this.#set(
      lease.task,
      states.length === 0
        ? { kind: 'waiting', lease, states: undefined }
        : { kind: 'receiving', lease, states: new BlobAssembly(states) },
    );
  }

  /** A part of the states of a task. A lease that was handed back at once has none, and its parts may still be on their way. */
  receive(task: string, chunk: BlobChunk): void {
    const entry = this.#entries.get(task);
    if (entry?.kind !== 'receiving') return;
    entry.states.add(chunk);
    const { result } = entry.states;
    if (result !== undefined) this.#set(task, { kind: 'waiting', lease: entry.lease, states: result });
  }

  /** The task to run next; undefined while one runs. */
  get next(): WaitingEntry | undefined {
    const entries = [...this.#entries.values()];
    return this.#stopping.size > 0 || entries.some(({ kind }) => kind === 'running')
      ? undefined
      : entries.find((entry) => entry.kind === 'waiting');
  }

  run(lease: Lease, stop: AbortController): TaskEntry {
    return this.#set(lease.task, { kind: 'running', lease, phase: { kind: 'waiting' }, stop });
  }

  /** The entry of a run; undefined if it was given up meanwhile, without waiting for its end. */
  runningAs(task: string, stop: AbortController): RunningEntry | undefined {
    const entry = this.#entries.get(task);
    return entry?.kind === 'running' && entry.stop === stop ? entry : undefined;
  }

  enter(entry: RunningEntry, phase: TaskPhase): TaskEntry {
    return this.#set(entry.lease.task, { ...entry, phase });
  }

  /** Keeps a result, under the reply subject that its lease has by now. */
  finish({ lease: { task, replySubject } }: RunningEntry, { finished, blobs }: TaskResult): FinishedTask {
    const kept = { ...finished, replySubject };
    this.#set(task, { kind: 'finished', finished: kept, blobs });
    return kept;
  }

  drop(task: string): void {
    this.#entries.delete(task);
  }

  /** No coordinator hears the worker: what has not arrived whole was never begun, and will be delivered again. */
  disconnect(): void {
    this.#granted = 0;
    for (const [task, { kind }] of this.#entries) if (kind === 'receiving') this.#entries.delete(task);
  }

  #set(task: string, entry: TaskEntry): TaskEntry {
    this.#entries.set(task, entry);
    return entry;
  }
}

function isStopping(entry: TaskEntry): boolean {
  return entry.kind === 'running' && entry.stop.signal.aborted;
}

/** What a task is at, as coordinators are told. */
export function phaseOf(entry: TaskEntry): TaskPhase {
  return entry.kind === 'running' ? entry.phase : { kind: 'waiting' };
}
