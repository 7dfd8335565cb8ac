import type { Logger } from 'pino';
import type { Checkpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import type { LetheError } from '../../shared/error/lethe-error.ts';
import type { Scorer } from '../../shared/method/conceptprune/conceptprune.ts';
import type { SiteName } from '../../shared/model/site.ts';
import type { CohortSum } from '../../shared/statistics/cohort-sum.ts';
import { type SumJob, sumJobs } from '../collect/sum-job.ts';
import type { Sums } from '../collect/sums.ts';
import type { PullLoop } from '../dispatch/pull-loop.ts';
import type { Plan, PlannedConcept } from '../plan/plan.ts';
import { makeMask } from '../publish/make-mask.ts';
import type { ConceptEnd, Ending } from '../store/campaign-entry.ts';
import type { RecordBook } from '../store/record-book.ts';
import type { Store } from '../store/store.ts';
import type { ResultVerdict } from '../store/verdict.ts';
import { errorOf, failureOf, type StoredFailure } from '../store/stored-json.ts';
import { Wake } from '../store/wake.ts';
import { conceptProgress } from './campaign-progress.ts';
import { feedUnits } from './feed-units.ts';

/** What every campaign's runner works with. */
export interface RunnerTools {
  readonly store: Store;
  readonly book: RecordBook;
  readonly sums: Sums;
  readonly puller: PullLoop;
  readonly score: Scorer;
  readonly log: Logger;
}

/** Milliseconds after which what failed for a reason outside is tried again. */
const againMs = 5_000;

/**
 * Brings one campaign on, at this coordinator: queues what can run, adds up what is complete, makes masks. Any number of
 * coordinators do the same at once; what each finds is in the records, and it needs no other memory.
 */
export class CampaignRunner {
  readonly kind = 'sweep';
  readonly plan: Plan;
  readonly jobs: readonly SumJob[];
  readonly #checkpoint: Checkpoint;
  readonly #tools: RunnerTools;
  readonly #campaign: string;
  readonly #log: Logger;
  readonly #ends = new Map<string, ConceptEnd>();
  /** Sums that can never be made from the results there are, by key. */
  readonly #lostSums = new Map<string, StoredFailure>();
  #feedTrouble: LetheError | undefined;
  #collectTrouble: LetheError | undefined;
  readonly #stop = new AbortController();
  readonly #feedWake = new Wake();
  readonly #collectWake = new Wake();

  constructor(campaign: string, plan: Plan, checkpoint: Checkpoint, tools: RunnerTools) {
    this.#campaign = campaign;
    this.plan = plan;
    this.#checkpoint = checkpoint;
    this.#tools = tools;
    this.jobs = sumJobs(plan);
    this.#log = tools.log.child({ campaign });
  }

  /** Concepts that have ended, as this coordinator has found. */
  get ends(): ReadonlyMap<string, ConceptEnd> {
    return this.#ends;
  }

  /** What stands in the way of queueing or collecting now, if something does: it is tried again. */
  get trouble(): LetheError | undefined {
    return this.#feedTrouble ?? this.#collectTrouble;
  }

  /** Runs until the campaign is over. @returns how its concepts ended; undefined if it was stopped before. */
  async run(): Promise<Ending | undefined> {
    const { book } = this.#tools;
    const forget = book.onChange(() => {
      this.#feedWake.ring();
      this.#collectWake.ring();
    });
    try {
      // What somebody has removed since is run again.
      await book.lookAgain().catch((error: unknown) => {
        this.#log.warn({ err: error }, 'cannot look again at what could not be read');
      });
      const over = new AbortController();
      const onTrouble = (trouble: LetheError | undefined): void => {
        this.#feedTrouble = trouble;
      };
      const ending = AbortSignal.any([this.#stop.signal, over.signal]);
      const feeding = feedUnits(this.#campaign, this.plan, this.#tools, this.#feedWake, onTrouble, ending);
      await this.#collect(this.#stop.signal);
      over.abort();
      await feeding;
    } finally {
      forget();
    }
    if (!this.#isOver) return undefined;
    return { concepts: this.plan.concepts.flatMap(({ name }) => this.#ends.get(name) ?? []) };
  }

  stop(): void {
    this.#stop.abort();
  }

  get #isOver(): boolean {
    return this.plan.concepts.every(({ name }) => this.#ends.has(name));
  }

  async #collect(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#collectOnce(signal);
        this.#collectTrouble = undefined;
        if (this.#isOver) return;
        await this.#collectWake.wait(signal);
      } catch (error) {
        this.#collectTrouble = errorOf(failureOf(error));
        this.#log.warn({ err: error }, 'cannot collect');
        await this.#collectWake.wait(signal, againMs);
      }
    }
  }

  async #collectOnce(signal: AbortSignal): Promise<void> {
    const { book, sums } = this.#tools;
    for (const job of this.jobs) {
      if (signal.aborted) return;
      if (this.#lost(job) === undefined && book.sum(job.key) === undefined && sums.isReady(job)) await this.#sum(job);
    }
    for (const concept of this.plan.concepts) {
      if (signal.aborted) return;
      if (this.#ends.has(concept.name)) continue;
      const progress = conceptProgress(concept, this.jobs, (unit, site) => book.settled(unit, site));
      if (progress.kind === 'running') continue;
      const failure =
        progress.kind === 'failed'
          ? progress.verdict.failure
          : progress.jobs.flatMap((job) => this.#lost(job) ?? [])[0];
      if (failure !== undefined) this.#fail(concept, failure);
      else if (progress.kind === 'complete') await this.#finish(concept, progress.jobs);
    }
  }

  /** Why there is no sum, and will be none. */
  #lost({ cohort, key }: SumJob): StoredFailure | undefined {
    const unreadable = this.#tools.book.unreadableSum(cohort, key);
    return unreadable === undefined ? this.#lostSums.get(key) : failureOf(unreadable);
  }

  async #sum(job: SumJob): Promise<void> {
    try {
      await this.#tools.sums.make(job);
    } catch (error) {
      const failure = failureOf(error);
      // Whole blobs that do not add up: so they will the next time.
      if (!['partial-invalid', 'statistics-invalid'].includes(failure.code)) throw error;
      this.#lostSums.set(job.key, failure);
    }
  }

  #fail({ name }: PlannedConcept, failure: StoredFailure): void {
    this.#ends.set(name, { kind: 'failed', concept: name, failure });
    this.#log.warn({ concept: name, failure }, 'concept failed');
  }

  #resultOf(unit: string): ResultVerdict | undefined {
    const { book } = this.#tools;
    return book.sitesOf(unit).flatMap((site) => {
      const verdict = book.settled(unit, site);
      return verdict?.kind === 'result' ? [verdict] : [];
    })[0];
  }

  /** Makes the mask, if all sums are there. */
  async #finish(concept: PlannedConcept, jobs: readonly SumJob[]): Promise<void> {
    const { store, sums, score } = this.#tools;
    const { name } = concept;
    const found = new Map<string, CohortSum>();
    for (const job of jobs) {
      const sum = await sums.read(job);
      // Its record has not been seen yet, or it has to be made again: the change rings.
      if (sum === undefined) return;
      found.set(`${job.cohort} ${job.site}`, sum);
    }
    const sumOf = (cohort: string, site: SiteName): CohortSum =>
      found.get(`${cohort} ${site}`) ?? { cohort, layers: [] };
    const resultOf = (unit: string): ResultVerdict | undefined => this.#resultOf(unit);
    try {
      const hash = await makeMask(store.masks, this.plan, concept, sumOf, this.#checkpoint, score, resultOf);
      if (hash === undefined) return;
      this.#ends.set(name, { kind: 'mask', concept: name, hash });
      this.#log.info({ concept: name, mask: hash }, 'mask');
    } catch (error) {
      const failure = failureOf(error);
      if (!['method-invalid', 'tensor-mismatch', 'safetensors-invalid', 'mask-mismatch'].includes(failure.code))
        throw error;
      this.#fail(concept, failure);
    }
  }
}
