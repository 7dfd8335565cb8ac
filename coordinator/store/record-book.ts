import type { RecordFilter, RecordSubject } from '../../shared/bus/names.ts';
import { recordFilters } from '../../shared/bus/names.ts';
import type { Records, StoredRecord } from '../../shared/bus/records.ts';
import { sites } from '../../shared/model/site.ts';
import type { Output } from '../../shared/unit/unit.ts';
import { type Attempt, attemptSchema } from './attempt.ts';
import { decodeStored } from './stored-json.ts';
import { type SumRecord, sumRecordSchema } from './sum-record.ts';
import { type Suspension, suspensionSchema } from './suspension.ts';
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
  readonly #listeners = new Set<() => void>();

  /** @param complain is told of records that cannot be read; they count as absent. */
  constructor(records: Records, complain: (error: unknown) => void) {
    this.#records = records;
    this.#complain = complain;
  }

  verdict(unit: string, site: Output): StoredVerdict | undefined {
    return this.#verdicts.get(`${unit} ${site}`);
  }

  /** The verdict by which a unit has ended for a site; a result that is being repaired is none. */
  settled(unit: string, site: Output): Settled | undefined {
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

  suspension(worker: string): Suspension | undefined {
    return this.#suspensions.get(worker);
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
      } catch (error) {
        this.#complain(error);
        continue;
      }
      for (const listener of this.#listeners) listener();
    }
    // Aborted before everything was seen: nobody waits for more.
    current();
  }

  readonly #takeVerdict = ({ bytes, sequence, subject }: StoredRecord): void => {
    const verdict = decodeStored(verdictSchema, bytes, subject);
    this.#verdicts.set(`${verdict.unit} ${verdict.site}`, { verdict, sequence });
  };

  readonly #takeAttempt = ({ bytes, subject }: StoredRecord): void => {
    const attempt = decodeStored(attemptSchema, bytes, subject);
    const known = this.#attempts.get(attempt.unit) ?? new Map<RecordSubject, Attempt>();
    this.#attempts.set(attempt.unit, known.set(subject, attempt));
  };

  readonly #takeSum = ({ bytes, sequence, subject }: StoredRecord): void => {
    const record = decodeStored(sumRecordSchema, bytes, subject);
    this.#sums.set(record.key, { record, sequence });
  };

  readonly #takeSuspension = ({ bytes, subject }: StoredRecord): void => {
    const suspension = decodeStored(suspensionSchema, bytes, subject);
    this.#suspensions.set(suspension.worker, suspension);
  };
}
