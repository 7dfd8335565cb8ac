import { LetheError } from '../../shared/error/lethe-error.ts';
import type { CampaignState, ConceptState } from '../api/campaign-service.ts';
import { sumJobs } from '../collect/sum-job.ts';
import type { LeaseTable } from '../dispatch/lease-table.ts';
import { queueOf } from '../dispatch/queued-unit.ts';
import type { WorkerBook } from '../dispatch/worker-book.ts';
import { natsAway, waitingForWorker } from './why-waiting.ts';
import { missingUnits } from '../plan/bill.ts';
import type { Plan, UnitPlan } from '../plan/plan.ts';
import { unetCallsOf } from '../plan/unet-calls.ts';
import type { CampaignEntry } from '../store/campaign-entry.ts';
import type { RecordBook } from '../store/record-book.ts';
import type { Store } from '../store/store.ts';
import { errorOf } from '../store/stored-json.ts';
import { conceptProgress, countUnits } from './campaign-progress.ts';
import type { KnownCampaign } from './campaigns.ts';
import { unpinned } from './plan-entry.ts';

/** How campaigns stand, for those who follow them: of records and of what this coordinator's workers do. */
export class CampaignStates {
  readonly #coordinator: string;
  readonly #store: Pick<Store, 'queue' | 'isConnected'>;
  readonly #book: RecordBook;
  readonly #workers: WorkerBook;
  readonly #leases: LeaseTable;
  readonly #troubleOf: (campaign: string) => LetheError | undefined;

  /** @param troubleOf why results of a campaign, or units, do not get through to NATS or from it now, if they do not */
  constructor(
    coordinator: string,
    store: Pick<Store, 'queue' | 'isConnected'>,
    book: RecordBook,
    workers: WorkerBook,
    leases: LeaseTable,
    troubleOf: (campaign: string) => LetheError | undefined,
  ) {
    this.#coordinator = coordinator;
    this.#troubleOf = troubleOf;
    this.#store = store;
    this.#book = book;
    this.#workers = workers;
    this.#leases = leases;
  }

  /** A campaign at this moment. */
  async of(known: KnownCampaign): Promise<CampaignState> {
    const { entry, plannable, runner } = known;
    const { id, state, numerics } = entry;
    const plan: Plan | UnitPlan | undefined = runner?.plan ?? plannable?.plan(numerics ?? unpinned);
    const verdictOf: Parameters<typeof countUnits>[1] = (unit, site) => this.#book.settled(unit, site);
    const counts = plan === undefined ? { done: 0, failed: 0, open: 0 } : countUnits(plan, verdictOf);
    const leased = state.kind === 'active' && plan !== undefined ? await this.#leased(id, plan) : 0;
    const workers = this.#workersOf(id);
    const rate = workers.reduce((sum, { unetCallsPerSecond }) => sum + unetCallsPerSecond, 0);
    const left = plan === undefined ? undefined : callsLeft(plan, verdictOf);
    return {
      campaign: id,
      trial: entry.trial,
      images: entry.kind === 'images',
      submittedAt: entry.submittedAt ?? known.storedAt,
      changedAt: known.storedAt,
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
      ...this.#waiting(known, plan, leased),
    };
  }

  /** What an active campaign waits for, as far as this coordinator knows. */
  #waiting(
    { entry: { id, state }, problem, runner }: KnownCampaign,
    plan: UnitPlan | undefined,
    leased: number,
  ): Pick<CampaignState, 'waiting' | 'leftOut'> {
    if (state.kind !== 'active') return { waiting: undefined, leftOut: [] };
    const trouble = this.#store.isConnected() ? (problem ?? runner?.trouble ?? this.#troubleOf(id)) : natsAway(id);
    if (trouble !== undefined || plan === undefined || leased > 0) return { waiting: trouble, leftOut: [] };
    return waitingForWorker(this.#coordinator, id, plan, this.#book, this.#workers.all);
  }

  #concepts(
    plan: Plan | UnitPlan | undefined,
    runner: KnownCampaign['runner'],
    verdictOf: Parameters<typeof countUnits>[1],
  ): readonly ConceptState[] {
    if (plan === undefined || !('concepts' in plan)) return [];
    const sweep = runner?.kind === 'sweep' ? runner : undefined;
    const jobs = sweep?.jobs ?? sumJobs(plan);
    return plan.concepts.map((concept): ConceptState => {
      const end = sweep?.ends.get(concept.name);
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
      .map(({ worker, unetCallsPerSecond, units }) => ({
        worker,
        unetCallsPerSecond,
        units: units.get(campaign) ?? 0,
      }));
  }

  /** In the whole fleet. */
  async #leased(campaign: string, { numerics, units }: UnitPlan): Promise<number> {
    if (!this.#store.isConnected()) return 0;
    const classes = [...new Set(units.map(({ memory }) => memory.gib))];
    const depths = await Promise.all(
      classes.map(async (gib) => {
        try {
          return (await this.#store.queue.depth(queueOf(campaign, numerics, gib))).leased;
        } catch (error) {
          // Not opened yet, the campaign ends just now, or NATS is away: followers go on all the same.
          if (error instanceof LetheError && ['queue-missing', 'bus-unavailable'].includes(error.code)) return 0;
          throw error;
        }
      }),
    );
    return depths.reduce((sum, each) => sum + each, 0);
  }
}

/** UNet calls times trajectories of the units that have not ended. */
function callsLeft(plan: UnitPlan, verdictOf: Parameters<typeof countUnits>[1]): number {
  const missing = missingUnits(plan, (unit, site) => verdictOf(unit, site) !== undefined);
  return missing.reduce((sum, unit) => sum + unetCallsOf(unit), 0);
}

/** A campaign whose entry this release cannot read: it is over here, and may go on elsewhere. */
export function stateOfUnreadable(campaign: string, error: LetheError): CampaignState {
  return {
    campaign,
    trial: false,
    images: false,
    submittedAt: 0,
    changedAt: 0,
    units: { waiting: 0, leased: 0, done: 0, failed: 0 },
    workers: [],
    concepts: [],
    remainingSeconds: undefined,
    ended: true,
    failure: error,
    waiting: undefined,
    leftOut: [],
  };
}

function endOf(end: Extract<CampaignEntry['state'], { kind: 'done' }>['concepts'][number]): ConceptState {
  const { concept } = end;
  return end.kind === 'mask'
    ? { kind: 'mask', concept, hash: end.hash }
    : { kind: 'failed', concept, failure: errorOf(end.failure) };
}

function failureOf({ id, kind, state }: CampaignEntry): LetheError | undefined {
  if (state.kind === 'done' && kind === 'images') {
    const { failed } = state;
    if (failed === undefined) return undefined;
    return new LetheError('campaign-failed', {
      what: `${failed.units} units of images have failed`,
      where: id,
      why: `${failed.failure.what}: ${failed.failure.why}`,
      next: failed.failure.next,
    });
  }
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
    why: `what they need failed, or cannot be read: ${failed.map(({ concept }) => concept).join(', ')}`,
    next: 'see why each concept failed; the same command goes on when that is put right',
  });
}
