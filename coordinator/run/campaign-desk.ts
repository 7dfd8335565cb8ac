import { createHash } from 'node:crypto';
import { LetheError } from '../../shared/error/lethe-error.ts';
import type {
  CampaignService,
  CampaignState,
  ConceptState,
  PlanSummary,
  WorkerStatus,
} from '../api/campaign-service.ts';
import { obstacle } from '../dispatch/choose-worker.ts';
import type { LeaseTable } from '../dispatch/lease-table.ts';
import { classWithMostCapacity } from '../dispatch/numerics-class.ts';
import { queueOf } from '../dispatch/queued-unit.ts';
import type { WorkerBook } from '../dispatch/worker-book.ts';
import { billOf, defaultRates, type Rates } from '../plan/bill.ts';
import type { Plan } from '../plan/plan.ts';
import { type CampaignEntry, campaignId } from '../store/campaign-entry.ts';
import type { RecordBook } from '../store/record-book.ts';
import type { Store } from '../store/store.ts';
import { encodeStored, errorOf } from '../store/stored-json.ts';
import { Wake } from '../store/wake.ts';
import { conceptProgress, countUnits } from './campaign-progress.ts';
import { type Campaigns, type KnownCampaign, missing } from './campaigns.ts';
import type { CheckpointShelf } from './checkpoint-shelf.ts';
import { plannable as makePlannable } from './plan-entry.ts';
import { sumJobs } from '../collect/sum-job.ts';

/** States are sent no more often than this, in ms: people read them. */
const paceMs = 100;
/** And no less often: what changes without a record, such as leases. */
const idleMs = 2_000;
/** In place of a class that nobody has pinned yet: it is part of hashes, and of no count. */
const unpinned = 'unpinned';

/** What people and scripts ask of a coordinator. */
export class CampaignDesk implements CampaignService {
  readonly #name: string;
  readonly #store: Store;
  readonly #book: RecordBook;
  readonly #campaigns: Campaigns;
  readonly #workers: WorkerBook;
  readonly #leases: LeaseTable;
  readonly #shelf: CheckpointShelf;

  constructor(
    name: string,
    store: Store,
    book: RecordBook,
    campaigns: Campaigns,
    workers: WorkerBook,
    leases: LeaseTable,
    shelf: CheckpointShelf,
  ) {
    this.#name = name;
    this.#store = store;
    this.#book = book;
    this.#campaigns = campaigns;
    this.#workers = workers;
    this.#leases = leases;
    this.#shelf = shelf;
  }

  async submit(yaml: string, source: string): Promise<{ readonly campaign: string; readonly plan: PlanSummary }> {
    const plannable = await makePlannable(yaml, source, this.#shelf);
    const { campaign, facts } = plannable;
    const id = campaignId(campaign.name, yaml);
    const bytes = Buffer.from(yaml, 'utf8');
    const name = `campaign/${createHash('sha256').update(bytes).digest('hex')}`;
    const text = (await this.#store.blobs.find(name)) ?? (await this.#store.blobs.put(name, bytes));
    const numerics = campaign.numerics ?? this.#capacity(facts.checkpoint);
    const wanted: CampaignEntry = {
      id,
      text,
      source,
      checkpoint: facts.checkpoint,
      ...(numerics === undefined ? {} : { numerics }),
      state: { kind: 'active' },
    };
    const created = await this.#store.campaigns.create(id, encodeStored(wanted));
    const entry =
      created.kind === 'stored'
        ? this.#campaigns.take({ key: id, sequence: created.sequence, bytes: encodeStored(wanted) })
        : await this.#campaigns.change(id, (each) =>
            each.state.kind === 'cancelled' ? { ...each, state: { kind: 'active' } } : each,
          );
    return { campaign: id, plan: this.#summary(plannable.plan(entry.numerics ?? unpinned)) };
  }

  async plan(yaml: string, source: string): Promise<PlanSummary> {
    const plannable = await makePlannable(yaml, source, this.#shelf);
    const { campaign, facts } = plannable;
    return this.#summary(plannable.plan(campaign.numerics ?? this.#capacity(facts.checkpoint) ?? unpinned));
  }

  async *watch(campaign: string, signal: AbortSignal): AsyncGenerator<CampaignState, void> {
    const wake = new Wake();
    const ring = (): void => {
      wake.ring();
    };
    const forgets = [this.#campaigns.onChange(ring), this.#book.onChange(ring)];
    signal.addEventListener('abort', ring, { once: true });
    try {
      while (!signal.aborted) {
        const known = this.#campaigns.get(campaign) ?? (await this.#look(campaign));
        const state = await this.#state(known);
        yield state;
        if (state.ended) return;
        await wake.wait(signal, idleMs);
        // Records come in crowds.
        await new Promise((resolve) => setTimeout(resolve, paceMs));
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
    return Promise.all(this.#campaigns.all.map((known) => this.#state(known)));
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
    return classWithMostCapacity(
      this.#workers.all.map(({ capabilities }) => capabilities),
      checkpoint,
    );
  }

  #summary(plan: Plan): PlanSummary {
    const bill = billOf(plan, (unit, site) => this.#book.settled(unit, site)?.kind === 'result', this.#rates(plan));
    const need = { memory: Math.max(0, ...plan.units.map(({ memory }) => memory.bytes)), unit: plan };
    const leftOut = this.#workers.all.flatMap(({ worker, capabilities, suspended }) => {
      const reason = suspended === '' ? obstacle(capabilities, need) : `it is suspended: ${suspended}`;
      return reason === undefined ? [] : [{ worker, reason }];
    });
    const able = this.#workers.all.length - leftOut.length;
    return {
      units: bill.units.total,
      done: bill.units.stored,
      unetCalls: bill.unetCalls.run,
      totalUnetCalls: bill.unetCalls.total,
      referenceUnetCalls: bill.reference.unetCalls,
      workerSeconds: bill.seconds * bill.rates.workers,
      numerics: plan.numerics === unpinned ? '' : plan.numerics,
      leftOut,
      warnings: able > 0 ? [] : ['no worker is connected that can run it; it waits for one'],
    };
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

  async #state({ entry, plannable, runner }: KnownCampaign): Promise<CampaignState> {
    const { id, state, numerics } = entry;
    const plan = runner?.plan ?? plannable?.plan(numerics ?? unpinned);
    const verdictOf: Parameters<typeof countUnits>[1] = (unit, site) => this.#book.settled(unit, site);
    const counts = plan === undefined ? { done: 0, failed: 0, open: 0 } : countUnits(plan, verdictOf);
    const leased = state.kind === 'active' && plan !== undefined ? await this.#leased(id, plan) : 0;
    const workers = this.#workersOf(id);
    const rate = workers.reduce((sum, { unetCallsPerSecond }) => sum + unetCallsPerSecond, 0);
    const left =
      plan === undefined
        ? undefined
        : billOf(plan, (unit, site) => verdictOf(unit, site) !== undefined, defaultRates(plan, 1)).unetCalls.run;
    return {
      campaign: id,
      units: {
        waiting: Math.max(0, counts.open - leased),
        leased: Math.min(leased, counts.open),
        done: counts.done,
        failed: counts.failed,
      },
      workers,
      concepts: state.kind === 'done' ? state.concepts.map(endOf) : this.#concepts(plan, runner, verdictOf),
      remainingSeconds: left === undefined || rate === 0 ? undefined : left / rate,
      ended: state.kind !== 'active',
      failure: failureOf(entry),
    };
  }

  #concepts(
    plan: Plan | undefined,
    runner: KnownCampaign['runner'],
    verdictOf: Parameters<typeof countUnits>[1],
  ): readonly ConceptState[] {
    if (plan === undefined) return [];
    const jobs = runner?.jobs ?? sumJobs(plan);
    return plan.concepts.map((concept): ConceptState => {
      const end = runner?.ends.get(concept.name);
      if (end !== undefined) return endOf(end);
      const progress = conceptProgress(concept, jobs, verdictOf);
      if (progress.kind === 'failed')
        return { kind: 'failed', concept: concept.name, failure: errorOf(progress.verdict.failure) };
      return { kind: 'remaining', concept: concept.name, units: progress.kind === 'running' ? progress.units : 0 };
    });
  }

  #workersOf(campaign: string): CampaignState['workers'] {
    const held = this.#leases.all.filter((lease) => lease.campaign === campaign);
    return this.#workers.all
      .filter(({ worker }) => held.some((lease) => lease.worker === worker))
      .map(({ worker, unetCallsPerSecond, units }) => ({ worker, unetCallsPerSecond, units }));
  }

  /** In the whole fleet. */
  async #leased(campaign: string, { numerics, units }: Plan): Promise<number> {
    const classes = [...new Set(units.map(({ memory }) => memory.gib))];
    const depths = await Promise.all(
      classes.map(async (gib) => {
        try {
          return (await this.#store.queue.depth(queueOf(campaign, numerics, gib))).leased;
        } catch (error) {
          // Not opened yet, or the campaign ends just now.
          if (error instanceof LetheError && error.code === 'queue-missing') return 0;
          throw error;
        }
      }),
    );
    return depths.reduce((sum, each) => sum + each, 0);
  }
}

function endOf(end: Extract<CampaignEntry['state'], { kind: 'done' }>['concepts'][number]): ConceptState {
  const { concept } = end;
  return end.kind === 'mask'
    ? { kind: 'mask', concept, hash: end.hash }
    : { kind: 'failed', concept, failure: errorOf(end.failure) };
}

function failureOf({ id, state }: CampaignEntry): LetheError | undefined {
  if (state.kind === 'cancelled')
    return new LetheError('campaign-cancelled', {
      what: 'the campaign was cancelled',
      where: id,
      why: state.reason === '' ? 'no reason was given' : state.reason,
      next: 'submit it again to go on: results are kept',
    });
  if (state.kind !== 'done') return undefined;
  const failed = state.concepts.filter(({ kind }) => kind === 'failed');
  if (failed.length === 0) return undefined;
  return new LetheError('campaign-failed', {
    what: `${failed.length} of ${state.concepts.length} concepts have no mask`,
    where: id,
    why: `units that they need failed: ${failed.map(({ concept }) => concept).join(', ')}`,
    next: 'see why each concept failed, correct it, and submit a campaign of these concepts',
  });
}
