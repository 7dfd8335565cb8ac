import { createHash } from 'node:crypto';
import type { LetheError } from '../../shared/error/lethe-error.ts';
import type { CampaignService, CampaignState, PlanSummary, WorkerStatus } from '../api/campaign-service.ts';
import type { LeaseTable } from '../dispatch/lease-table.ts';
import { leftOut } from '../dispatch/left-out.ts';
import { classWithMostCapacity } from '../dispatch/numerics-class.ts';
import type { WorkerBook } from '../dispatch/worker-book.ts';
import { defaultRates, type Rates } from '../plan/bill.ts';
import { inCampaign } from '../plan/campaign-place.ts';
import type { Plan } from '../plan/plan.ts';
import { type CampaignEntry, campaignId, canGoOn } from '../store/campaign-entry.ts';
import type { RecordBook } from '../store/record-book.ts';
import type { Store } from '../store/store.ts';
import { encodeStored } from '../store/stored-json.ts';
import { Wake } from '../store/wake.ts';
import { missing } from './campaign-missing.ts';
import { CampaignStates, stateOfUnreadable } from './campaign-states.ts';
import type { Campaigns, KnownCampaign } from './campaigns.ts';
import type { CheckpointShelf } from './checkpoint-shelf.ts';
import { pinnedClass, plannable as makePlannable, unpinned } from './plan-entry.ts';
import { planSummary } from './plan-summary.ts';

/** States are sent no more often than this, in ms: people read them. */
const paceMs = 100;
/** And no less often: what changes without a record, such as leases. */
const idleMs = 2_000;

/** What people and scripts ask of a coordinator. */
export class CampaignDesk implements CampaignService {
  readonly #name: string;
  readonly #store: Store;
  readonly #book: RecordBook;
  readonly #campaigns: Campaigns;
  readonly #workers: WorkerBook;
  readonly #leases: LeaseTable;
  readonly #shelf: CheckpointShelf;
  readonly #states: CampaignStates;

  constructor(
    name: string,
    store: Store,
    book: RecordBook,
    campaigns: Campaigns,
    workers: WorkerBook,
    leases: LeaseTable,
    shelf: CheckpointShelf,
    troubleOf: (campaign: string) => LetheError | undefined,
  ) {
    this.#name = name;
    this.#store = store;
    this.#book = book;
    this.#campaigns = campaigns;
    this.#workers = workers;
    this.#leases = leases;
    this.#shelf = shelf;
    this.#states = new CampaignStates(name, store, book, workers, leases, troubleOf);
  }

  async submit(
    yaml: string,
    source: string,
    trial = false,
  ): Promise<{ readonly campaign: string; readonly plan: PlanSummary }> {
    await this.#book.lookAgain();
    const plannable = await makePlannable(yaml, source, this.#shelf);
    const { campaign, facts } = plannable;
    const id = campaignId(campaign.name, yaml);
    const numerics = campaign.numerics ?? this.#capacity(facts.checkpoint);
    // Before there is an entry: one that cannot be planned would stay for ever.
    const plan = await inCampaign(yaml, source)(() => plannable.plan(numerics ?? unpinned));
    const bytes = Buffer.from(yaml, 'utf8');
    const name = `campaign/${createHash('sha256').update(bytes).digest('hex')}`;
    const text = (await this.#store.blobs.find(name)) ?? (await this.#store.blobs.put(name, bytes));
    const wanted: CampaignEntry = {
      id,
      trial,
      kind: 'sweep',
      text,
      source,
      submittedAt: Date.now(),
      checkpoint: facts.checkpoint,
      ...(numerics === undefined ? {} : { numerics }),
      state: { kind: 'active' },
    };
    const created = await this.#store.campaigns.create(id, encodeStored(wanted));
    const entry =
      created.kind === 'stored'
        ? this.#campaigns.take({ key: id, sequence: created.sequence, bytes: encodeStored(wanted) })
        : await this.#campaigns.change(id, (each) => submittedAgain(each, trial));
    const pinned = entry.numerics ?? unpinned;
    return { campaign: id, plan: this.#summary(pinned === plan.numerics ? plan : plannable.plan(pinned)) };
  }

  async plan(yaml: string, source: string): Promise<PlanSummary> {
    const plannable = await makePlannable(yaml, source, this.#shelf);
    const { campaign, facts } = plannable;
    const numerics = campaign.numerics ?? this.#capacity(facts.checkpoint) ?? unpinned;
    return this.#summary(await inCampaign(yaml, source)(() => plannable.plan(numerics)));
  }

  async *watch(campaign: string, signal: AbortSignal): AsyncGenerator<CampaignState, void> {
    const wake = new Wake();
    const over = new Wake();
    const ring = (): void => {
      wake.ring();
      // Also where its entry cannot be read any more.
      if (this.#campaigns.get(campaign)?.entry.state.kind !== 'active') over.ring();
    };
    const forgets = [this.#campaigns.onChange(ring), this.#book.onChange(ring)];
    signal.addEventListener('abort', ring, { once: true });
    try {
      while (!signal.aborted) {
        const known = this.#campaigns.get(campaign) ?? (await this.#look(campaign));
        const state = await this.#states.of(known);
        yield state;
        if (state.ended) return;
        await wake.wait(signal, idleMs);
        // Records come in crowds; the end is told at once.
        await over.wait(signal, paceMs);
      }
    } finally {
      for (const forget of forgets) forget();
    }
  }

  async cancel(campaign: string, reason: string): Promise<void> {
    await this.#campaigns.change(campaign, (entry) =>
      entry.state.kind === 'active' ? { ...entry, state: { kind: 'cancelled', reason } } : entry,
    );
  }

  async status(): Promise<readonly CampaignState[]> {
    const states = await Promise.all(this.#campaigns.all.map((known) => this.#states.of(known)));
    return [...states, ...[...this.#campaigns.unreadable].map(([id, error]) => stateOfUnreadable(id, error))];
  }

  workers(): Promise<readonly WorkerStatus[]> {
    return Promise.resolve(
      this.#workers.all.map(({ worker, capabilities, draining, suspended, unetCallsPerSecond }) => ({
        worker,
        device: capabilities.device,
        numerics: capabilities.numerics,
        memory: capabilities.memory,
        checkpoints: capabilities.checkpoints,
        running: this.#leases.of(worker).length,
        unetCallsPerSecond,
        draining,
        suspended,
        coordinator: this.#name,
        version: capabilities.version,
      })),
    );
  }

  /** A campaign that this coordinator has not heard of yet. */
  async #look(campaign: string): Promise<KnownCampaign> {
    const document = await this.#store.campaigns.read(campaign);
    if (document === undefined) throw missing(campaign);
    this.#campaigns.take(document);
    const known = this.#campaigns.get(campaign);
    if (known === undefined) throw missing(campaign);
    return known;
  }

  #capacity(checkpoint: string): string | undefined {
    const able = this.#workers.all.filter(({ closed }) => !closed).map(({ capabilities }) => capabilities);
    return classWithMostCapacity(able, checkpoint);
  }

  #summary(plan: Plan): PlanSummary {
    const memory = plan.units.reduce((most, unit) => Math.max(most, unit.memory.bytes), 0);
    const { checkpoint, graph } = plan;
    const unit = { kind: 'denoise', checkpoint, graph, numerics: pinnedClass(plan) } as const;
    const left = leftOut(this.#workers.all, { memory, unit });
    const able = this.#workers.all.length - left.length;
    return planSummary(
      plan,
      (each, site) => this.#book.settled(each, site)?.kind === 'result',
      this.#rates(plan),
      left,
      able > 0 ? [] : ['no worker is connected that can run it; it waits for one'],
    );
  }

  /** Measured, where workers have run something. */
  #rates(plan: Plan): Rates {
    const own = this.#workers.all.filter(({ capabilities }) => capabilities.numerics === plan.numerics);
    const measured = own.flatMap(({ unetCallsPerSecond }) => (unetCallsPerSecond > 0 ? [unetCallsPerSecond] : []));
    const rates = defaultRates(plan, Math.max(1, own.length));
    if (measured.length === 0) return rates;
    const mean = measured.reduce((sum, each) => sum + each, 0) / measured.length;
    return { ...rates, unetSeconds: 1 / mean, measured: true };
  }
}

/** A campaign that was tried before may be one that is meant now; the other way round it stays what it is. */
function submittedAgain(entry: CampaignEntry, trial: boolean): CampaignEntry {
  const meant = entry.trial && !trial ? { ...entry, trial } : entry;
  return canGoOn(meant) ? { ...meant, state: { kind: 'active' } } : meant;
}
