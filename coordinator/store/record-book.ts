import type { z } from 'zod';
import { type RecordFilter, recordFilters, records, type RecordSubject, streams } from '../../shared/bus/names.ts';
import type { Records, StoredRecord } from '../../shared/bus/records.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { sites } from '../../shared/model/site.ts';
import type { Output } from '../../shared/unit/unit.ts';
import { type Attempt, attemptSchema } from './attempt.ts';
import { decodeStored, failureOf, invalidRecord } from './stored-json.ts';
import { type SumRecord, sumRecordSchema } from './sum-record.ts';
import { type Suspension, suspensionSchema } from './suspension.ts';
import { UnreadableRecords } from './unreadable-records.ts';
import { type Settled, type StoredVerdict, verdictSchema } from './verdict.ts';

const outputs: readonly Output[] = [...sites.map(({ name }) => name), 'image'];

/**
 * The records as this process has seen them, kept up to date. It may be a moment behind: what must not be decided by an old
 * record is decided by the offer of a new one, which loses.
 */
export class RecordBook {
  readonly #records: Records;
  readonly #complain: (error: unknown) => void;
  readonly #verdicts = new Map<string, StoredVerdict>();
  readonly #attempts = new Map<string, Map<RecordSubject, Attempt>>();
  readonly #sums = new Map<string, { readonly record: SumRecord; readonly sequence: number }>();
  readonly #suspensions = new Map<string, Suspension>();
  readonly #unreadable: UnreadableRecords;
  readonly #listeners = new Set<() => void>();

  /** @param complain is told of records that cannot be read. */
  constructor(records: Records, complain: (error: unknown) => void) {
    this.#records = records;
    this.#complain = complain;
    this.#unreadable = new UnreadableRecords(records);
  }

  verdict(unit: string, site: Output): StoredVerdict | undefined {
    return this.#verdicts.get(`${unit} ${site}`);
  }

  /**
   * The verdict by which a unit has ended for a site; a result that is being repaired is none. One that cannot be read is a
   * failure, with the error that names it: no other may take its place, and nobody can wait for it.
   */
  settled(unit: string, site: Output): Settled | undefined {
    const error = this.#unreadable.size === 0 ? undefined : this.#unreadable.get(records.verdict(unit, site));
    if (error !== undefined) return { kind: 'failed', unit, site, failure: failureOf(error), attempts: 0 };
    const verdict = this.verdict(unit, site)?.verdict;
    return verdict?.kind === 'repair' ? undefined : verdict;
  }

  /** What a unit has a verdict for. */
  sitesOf(unit: string): readonly Output[] {
    return outputs.filter((output) => this.#verdicts.has(`${unit} ${output}`));
  }

  /** Every attempt at a unit that gave no result, in the order of their records. */
  attempts(unit: string): readonly Attempt[] {
    return [...(this.#attempts.get(unit)?.values() ?? [])];
  }

  allAttempts(): readonly Attempt[] {
    return [...this.#attempts.values()].flatMap((each) => [...each.values()]);
  }

  sum(key: string): { readonly record: SumRecord; readonly sequence: number } | undefined {
    return this.#sums.get(key);
  }

  /** Why the record of a sum cannot be read, if it cannot. */
  unreadableSum(cohort: string, key: string): LetheError | undefined {
    return this.#unreadable.get(records.sum(cohort, key));
  }

  /** One that cannot be read is one all the same. */
  suspension(worker: string): Suspension | undefined {
    const error = this.#unreadable.size === 0 ? undefined : this.#unreadable.get(records.suspension(worker));
    return error === undefined ? this.#suspensions.get(worker) : { worker, reason: error.message, units: [] };
  }

  /** What could not be read is looked at again: it may have been removed by hand. @throws LetheError `bus-unavailable` */
  async lookAgain(): Promise<void> {
    await this.#unreadable.lookAgain();
  }

  /** `listener` is called after every change, until the function returned is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Reads all records and goes on reading until the signal.
   *
   * @param lost is told if reading ends for another reason.
   * @returns resolves when what was there is known.
   */
  async follow(signal: AbortSignal, lost: (error: unknown) => void): Promise<void> {
    const readers: readonly (readonly [RecordFilter, (record: StoredRecord) => void])[] = [
      [recordFilters.verdicts, this.#takeVerdict],
      [recordFilters.attempts, this.#takeAttempt],
      [recordFilters.sums, this.#takeSum],
      [recordFilters.suspensions, this.#takeSuspension],
    ];
    await Promise.all(
      readers.map(
        ([filter, take]) =>
          new Promise<void>((resolve) => {
            this.#read(filter, take, signal, resolve).catch(lost);
          }),
      ),
    );
  }

  async #read(
    filter: RecordFilter,
    take: (record: StoredRecord) => void,
    signal: AbortSignal,
    current: () => void,
  ): Promise<void> {
    for await (const event of this.#records.watch(filter, signal)) {
      if (event.kind === 'current') {
        current();
        continue;
      }
      try {
        take(event.record);
        this.#unreadable.remove(event.record.subject);
      } catch (error) {
        if (!(error instanceof LetheError)) throw error;
        this.#unreadable.add(event.record, error);
        this.#complain(error);
      }
      for (const listener of this.#listeners) listener();
    }
    // Aborted before everything was seen: nobody waits for more.
    current();
  }

  readonly #takeVerdict = (stored: StoredRecord): void => {
    const verdict = decode(verdictSchema, stored, ({ unit, site }) => records.verdict(unit, site));
    const { sequence } = stored;
    this.#verdicts.set(`${verdict.unit} ${verdict.site}`, { verdict, sequence });
  };

  readonly #takeAttempt = (stored: StoredRecord): void => {
    const attempt = decode(attemptSchema, stored, () => stored.subject);
    const known = this.#attempts.get(attempt.unit) ?? new Map<RecordSubject, Attempt>();
    this.#attempts.set(attempt.unit, known.set(stored.subject, attempt));
  };

  readonly #takeSum = (stored: StoredRecord): void => {
    const record = decode(sumRecordSchema, stored, ({ cohort, key }) => records.sum(cohort, key));
    this.#sums.set(record.key, { record, sequence: stored.sequence });
  };

  readonly #takeSuspension = (stored: StoredRecord): void => {
    const suspension = decode(suspensionSchema, stored, ({ worker }) => records.suspension(worker));
    this.#suspensions.set(suspension.worker, suspension);
  };
}

/** A record that says of itself what its subject says: one that was stored elsewhere by mistake is refused. */
function decode<T>(
  schema: z.ZodType<T>,
  { bytes, subject, sequence }: StoredRecord,
  subjectOf: (value: T) => RecordSubject,
): T {
  const where = `${subject}, message ${sequence} of ${streams.records}`;
  const value = decodeStored(schema, bytes, where);
  const own = subjectOf(value);
  if (own !== subject) throw invalidRecord(where, `what it holds belongs under ${own}`);
  return value;
}
