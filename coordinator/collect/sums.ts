import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { records } from '../../shared/bus/names.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { type CohortSum } from '../../shared/statistics/cohort-sum.ts';
import { decodeCohortSum } from '../../shared/statistics/cohort-sum-file.ts';
import type { RecordBook } from '../store/record-book.ts';
import type { Store } from '../store/store.ts';
import { encodeStored } from '../store/stored-json.ts';
import type { SumRecord } from '../store/sum-record.ts';
import type { ResultVerdict } from '../store/verdict.ts';
import { sumCohort } from './sum-cohort.ts';
import type { SumJob } from './sum-job.ts';
import { SumThreads } from './sum-threads.ts';

/** Blobs that cannot be read any more, and what decodes to nothing. */
const broken: readonly string[] = ['blob-missing', 'blob-damaged', 'sum-invalid', 'safetensors-invalid'];

/** Makes the sums of cohorts from the results of their units, and reads those that the records name. */
export class Sums {
  readonly #store: Store;
  readonly #book: RecordBook;
  readonly #coordinator: string;
  readonly #log: Logger;
  readonly #threads = new SumThreads();
  readonly #onSummed: (seconds: number, won: boolean) => void;

  constructor(
    store: Store,
    book: RecordBook,
    coordinator: string,
    log: Logger,
    onSummed: (seconds: number, won: boolean) => void,
  ) {
    this.#store = store;
    this.#book = book;
    this.#coordinator = coordinator;
    this.#log = log;
    this.#onSummed = onSummed;
  }

  /** Starts the thread that sums, before there is a cohort. */
  start(): void {
    this.#threads.start();
  }

  /** Whether every unit of the job has its result. */
  isReady(job: SumJob): boolean {
    return job.parts.every(({ unit }) => this.#book.settled(unit, job.site)?.kind === 'result');
  }

  /**
   * Adds the results up and offers the sum; a result whose blob is gone or damaged is put up for repair instead.
   *
   * @param instead the sequence of a record whose blob cannot be read, which is replaced
   */
  async make(job: SumJob, instead?: number): Promise<void> {
    const { key, cohort, site } = job;
    const started = performance.now();
    const summing = await sumCohort(job, (unit) => this.#resultOf(unit, job), this.#store.blobs, this.#threads);
    if (summing.kind === 'damaged') {
      this.#log.warn({ unit: summing.verdict.unit, err: summing.error }, 'a result has to be repaired');
      await this.#repair(summing.verdict);
      return;
    }
    const name = `sum/${key}/${randomUUID()}`;
    const sum = await this.#store.blobs.put(name, summing.bytes);
    const record: SumRecord = { cohort, key, site, sum, coordinator: this.#coordinator };
    const subject = records.sum(cohort, key);
    const bytes = encodeStored(record);
    const outcome =
      instead === undefined
        ? await this.#store.records.offer(subject, bytes)
        : await this.#store.records.replace(subject, bytes, instead);
    const won = outcome.kind !== 'lost';
    if (!won) await this.#store.blobs.delete(name);
    this.#onSummed((performance.now() - started) / 1000, won);
    this.#log.info(
      { cohort, site, units: job.parts.length, won, ms: Math.round(performance.now() - started) },
      'summed',
    );
  }

  /** The sum that the record names; undefined if there is none, or it could not be read and is made again. */
  async read(job: SumJob): Promise<CohortSum | undefined> {
    const found = this.#book.sum(job.key);
    if (found === undefined) return undefined;
    const { sum } = found.record;
    try {
      return decodeCohortSum(await this.#store.blobs.get(sum.name, sum.digest));
    } catch (error) {
      if (!(error instanceof LetheError) || !broken.includes(error.code)) throw error;
      this.#log.warn({ cohort: job.cohort, site: job.site, err: error }, 'a sum has to be made again');
      if (this.isReady(job)) await this.make(job, found.sequence);
      return undefined;
    }
  }

  #resultOf(unit: string, { site }: SumJob): ResultVerdict {
    const verdict = this.#book.settled(unit, site);
    if (verdict?.kind === 'result') return verdict;
    throw new LetheError('record-invalid', {
      what: 'cannot add a cohort up',
      where: `unit ${unit}`,
      why: 'its result has gone meanwhile',
      next: 'nothing: it is run again',
    });
  }

  /** Every site whose record names the blob loses it. */
  async #repair({ unit, partial }: ResultVerdict): Promise<void> {
    for (const site of new Set(this.#book.sitesOf(unit))) {
      const found = this.#book.verdict(unit, site);
      if (found?.verdict.kind !== 'result' || found.verdict.partial.name !== partial.name) continue;
      const bytes = encodeStored({ kind: 'repair', unit, site, damaged: partial.name });
      await this.#store.records.replace(records.verdict(unit, site), bytes, found.sequence);
    }
  }
}
