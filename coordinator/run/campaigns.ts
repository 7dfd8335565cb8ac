import { setTimeout as after } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Document, StoredDocument } from '../../shared/bus/documents.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { classWithMostCapacity } from '../dispatch/numerics-class.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { WorkerBook } from '../dispatch/worker-book.ts';
import { type CampaignEntry, type Ending, entryOf } from '../store/campaign-entry.ts';
import { encodeStored, errorOf, failureOf } from '../store/stored-json.ts';
import { missing } from './campaign-missing.ts';
import { CampaignRunner, type RunnerTools } from './campaign-runner.ts';
import type { CheckpointShelf } from './checkpoint-shelf.ts';
import { ImageRunner } from './image-runner.ts';
import { type Plannable, plannableEntry } from './plan-entry.ts';

/** Codes after which the same is tried again, and the pause before it, in ms. */
const passing: readonly string[] = ['bus-unavailable', 'bus-store-failed'];
const againMs = 2_000;

/** What brings one campaign, or one job of images, on at this coordinator. */
export type Runner = CampaignRunner | ImageRunner;

/** A campaign as this coordinator knows it. */
export interface KnownCampaign {
  readonly entry: CampaignEntry;
  /** Of the entry. */
  readonly sequence: number;
  /** When NATS stored it, milliseconds since 1970. */
  readonly storedAt: number;
  /** Undefined while it is being planned, and where this machine does not have its checkpoint. */
  readonly plannable: Plannable | undefined;
  /** Why it could not be planned, or its end not be stored, when that was tried. */
  readonly problem: LetheError | undefined;
  /** While it runs here. */
  readonly runner: Runner | undefined;
}

/** Follows the entries of all campaigns: runs those that are active, ends those that are over. */
export class Campaigns {
  readonly #tools: RunnerTools;
  readonly #shelf: CheckpointShelf;
  readonly #workers: WorkerBook;
  readonly #dispatcher: Dispatcher;
  readonly #log: Logger;
  readonly #known = new Map<string, KnownCampaign>();
  /** Entries that this release cannot read, by key. */
  readonly #unreadable = new Map<string, { readonly sequence: number; readonly error: LetheError }>();
  /** Campaigns that are being planned: opening a checkpoint can take minutes. */
  readonly #planning = new Set<string>();
  readonly #listeners = new Set<() => void>();
  #signal: AbortSignal | undefined;
  #current: () => void = () => undefined;
  readonly #followed = new Promise<void>((resolve) => {
    this.#current = resolve;
  });
  /** Texts of image jobs that are being read. */
  readonly #reading = new Set<Promise<void>>();

  constructor(tools: RunnerTools, shelf: CheckpointShelf, workers: WorkerBook, dispatcher: Dispatcher) {
    this.#tools = tools;
    this.#shelf = shelf;
    this.#workers = workers;
    this.#dispatcher = dispatcher;
    this.#log = tools.log;
  }

  /** Those whose entry can be read. */
  get all(): readonly KnownCampaign[] {
    return [...this.#known.values()].filter(({ entry }) => !this.#unreadable.has(entry.id));
  }

  /** Why the entries of campaigns cannot be read, by id, of those that cannot. */
  get unreadable(): ReadonlyMap<string, LetheError> {
    return new Map([...this.#unreadable].map(([id, { error }]) => [id, error]));
  }

  get(id: string): KnownCampaign | undefined {
    return this.#unreadable.has(id) ? undefined : this.#known.get(id);
  }

  /** `listener` is called when an entry changes, until the function returned is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Resolves when every entry that was there has been read: what is asked for before would be made again. */
  async read(): Promise<void> {
    await this.#followed;
    await Promise.all(this.#reading);
  }

  /** Follows the entries until the signal. */
  async follow(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    for await (const event of this.#tools.store.campaigns.watch(signal)) {
      if (event.kind === 'current') this.#current();
      if (event.kind === 'removed') this.#unreadable.delete(event.key);
      if (event.kind !== 'document') continue;
      try {
        this.take(event.document);
      } catch (error) {
        this.#log.error({ err: error, campaign: event.document.key }, 'cannot read the entry of a campaign');
      }
    }
    for (const { runner } of this.#known.values()) runner?.stop();
  }

  /** An entry as it stands now; older ones are ignored. @throws LetheError `record-invalid` */
  take(document: Document & Partial<StoredDocument>): CampaignEntry {
    const { key, sequence, storedAt = Date.now() } = document;
    const entry = this.#read(document);
    const before = this.#known.get(key);
    // What this coordinator has stored itself comes back with the time by the server's clock.
    if (before?.sequence === sequence)
      this.#known.set(key, { ...before, storedAt: document.storedAt ?? before.storedAt });
    if (before !== undefined && before.sequence >= sequence) return before.entry;
    this.#unreadable.delete(key);
    const { plannable, problem, runner } = before ?? {};
    this.#known.set(key, { entry, sequence, storedAt, plannable, problem, runner });
    if (before?.plannable === undefined) this.#readText(entry);
    if (entry.state.kind !== 'active') this.#end(entry, before?.runner);
    else if (before?.runner === undefined) this.#start(key);
    for (const listener of this.#listeners) listener();
    return entry;
  }

  /** Nobody can go on with what cannot be read: whoever can does. Nothing that it has queued or stored is touched. */
  #read({ key, sequence, bytes }: Document): CampaignEntry {
    try {
      return entryOf(key, sequence, bytes);
    } catch (error) {
      const before = this.#known.get(key);
      if (!(error instanceof LetheError) || (before !== undefined && before.sequence >= sequence)) throw error;
      this.#unreadable.set(key, { sequence, error });
      if (before !== undefined) this.#known.set(key, { ...before, runner: undefined });
      before?.runner?.stop();
      for (const listener of this.#listeners) listener();
      throw error;
    }
  }

  /** Goes on with campaigns that could not be planned or pinned until now. To be called when a worker has connected, and now and then. */
  pin(): void {
    for (const { entry, plannable } of this.all) {
      if (entry.state.kind !== 'active') continue;
      if (plannable === undefined) this.#readText(entry);
      else this.#start(entry.id);
    }
  }

  /**
   * Changes an entry by compare-and-set.
   *
   * @param change the entry as it should be; the same one to leave it
   * @throws LetheError `campaign-missing`
   */
  async change(id: string, change: (entry: CampaignEntry) => CampaignEntry): Promise<CampaignEntry> {
    const { campaigns } = this.#tools.store;
    let document = await campaigns.read(id);
    for (;;) {
      if (document === undefined) throw missing(id);
      const entry = this.take(document);
      const changed = change(entry);
      if (changed === entry) return entry;
      const bytes = encodeStored(changed);
      const outcome = await campaigns.update(id, bytes, document.sequence);
      if (outcome.kind === 'stored') return this.take({ key: id, sequence: outcome.sequence, bytes });
      document = outcome.found;
    }
  }

  #readText(entry: CampaignEntry): void {
    const reading = this.#makePlannable(entry).catch((error: unknown) => {
      this.#log.error({ campaign: entry.id, err: error }, 'cannot bring a campaign on');
    });
    if (entry.kind !== 'images') return;
    this.#reading.add(reading);
    void reading.then(() => this.#reading.delete(reading));
  }

  async #makePlannable(entry: CampaignEntry): Promise<void> {
    if (this.#planning.has(entry.id)) return;
    this.#planning.add(entry.id);
    const planning = plannableEntry(entry, this.#tools.store.blobs, this.#shelf);
    const found = await planning.catch((error: unknown) => errorOf(failureOf(error)));
    this.#planning.delete(entry.id);
    const known = this.#known.get(entry.id);
    if (known === undefined || known.plannable !== undefined) return;
    if (found instanceof LetheError) {
      this.#known.set(entry.id, { ...known, problem: found });
      // Told once: it is tried again and again.
      if (known.problem?.message !== found.message) throw found;
      return;
    }
    this.#known.set(entry.id, { ...known, plannable: found, problem: undefined });
    if (known.entry.state.kind === 'active') this.#start(entry.id);
    for (const listener of this.#listeners) listener();
  }

  #start(id: string): void {
    const known = this.#known.get(id);
    if (known?.plannable === undefined || known.runner !== undefined) return;
    const { entry, plannable } = known;
    if (entry.numerics === undefined) {
      const able = this.#workers.all.filter(({ closed }) => !closed).map(({ capabilities }) => capabilities);
      const numerics = classWithMostCapacity(able, entry.checkpoint);
      if (numerics !== undefined)
        this.#attempt(id, () =>
          this.change(id, (each) => (each.numerics === undefined ? { ...each, numerics } : each)),
        );
      return;
    }
    const runner =
      plannable.kind === 'sweep'
        ? new CampaignRunner(id, plannable.plan(entry.numerics), plannable.checkpoint, this.#tools)
        : new ImageRunner(id, plannable.plan(), this.#tools);
    this.#known.set(id, { ...known, runner });
    this.#log.info({ campaign: id, numerics: entry.numerics, units: runner.plan.units.length }, 'campaign runs');
    this.#attempt(id, async () => {
      const ending = await runner.run();
      if (ending !== undefined) await this.#finish(id, ending);
    });
  }

  async #finish(id: string, ending: Ending): Promise<void> {
    for (;;) {
      try {
        await this.change(id, (each) =>
          each.state.kind === 'active' ? { ...each, state: { kind: 'done', ...ending } } : each,
        );
        return;
      } catch (error) {
        // NATS may be away for longer than a call waits, or full; who is closing does not try again.
        const known = this.#known.get(id);
        if (!(error instanceof LetheError && passing.includes(error.code)) || this.#signal?.aborted) throw error;
        if (known !== undefined) this.#known.set(id, { ...known, problem: error });
        this.#log.warn({ campaign: id, err: error }, 'cannot mark a campaign as done yet');
        await after(againMs, undefined, { signal: this.#signal }).catch(() => undefined);
      }
    }
  }

  #end(entry: CampaignEntry, runner: Runner | undefined): void {
    const { id, state } = entry;
    const known = this.#known.get(id);
    if (known !== undefined) this.#known.set(id, { ...known, runner: undefined });
    if (runner === undefined) return;
    runner.stop();
    this.#log.info({ campaign: id, state: state.kind }, 'campaign is over');
    this.#dispatcher.cancel(id, `its campaign is ${state.kind}`);
    this.#attempt(id, async () => {
      await this.#tools.store.queue.purge(id);
      await this.#tools.store.queue.close(id);
    });
  }

  #attempt(campaign: string, action: () => Promise<unknown>): void {
    action().catch((error: unknown) => {
      this.#log.error({ campaign, err: error }, 'cannot bring a campaign on');
    });
  }
}
