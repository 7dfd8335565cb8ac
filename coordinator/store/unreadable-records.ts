import type { RecordSubject } from '../../shared/bus/names.ts';
import type { LetheError } from '../../shared/error/lethe-error.ts';
import type { Records, StoredRecord } from '../../shared/bus/records.ts';

/**
 * Records that this release cannot read, because they are damaged or another one has stored them. Each stands on its
 * subject as the one that counts, so whoever needs it cannot go on, and nobody else need care.
 */
export class UnreadableRecords {
  readonly #records: Pick<Records, 'read'>;
  readonly #found = new Map<RecordSubject, { readonly sequence: number; readonly error: LetheError }>();

  constructor(records: Pick<Records, 'read'>) {
    this.#records = records;
  }

  get size(): number {
    return this.#found.size;
  }

  get(subject: RecordSubject): LetheError | undefined {
    return this.#found.get(subject)?.error;
  }

  add({ subject, sequence }: StoredRecord, error: LetheError): void {
    this.#found.set(subject, { sequence, error });
  }

  /** Another record has taken its place, and can be read. */
  remove(subject: RecordSubject): void {
    this.#found.delete(subject);
  }

  /** Forgets those that somebody has removed from the store, which nobody is told. @throws LetheError `bus-unavailable` */
  async lookAgain(): Promise<void> {
    for (const subject of [...this.#found.keys()])
      if ((await this.#records.read(subject)) === undefined) this.#found.delete(subject);
  }
}
