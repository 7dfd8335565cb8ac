import { apiCode, hasApiCode, PassingFailure } from './bus-error.ts';
import type { Bus } from './bus.ts';
import { type RecordFilter, type RecordSubject, streams } from './names.ts';
import { orderedRead } from './ordered-read.ts';
import { type StoredMessage, lastMessage, swap } from './stored-message.ts';

/** A record as it stands. `replace` and `delete` name it by its sequence. */
export interface StoredRecord {
  readonly subject: RecordSubject;
  readonly sequence: number;
  readonly bytes: Uint8Array;
}

export type Offer =
  { readonly kind: 'won'; readonly sequence: number } | { readonly kind: 'lost'; readonly winner: StoredRecord };

export type Replacement =
  | { readonly kind: 'replaced'; readonly sequence: number }
  /** What stands there instead; nothing if gc has deleted it. */
  | { readonly kind: 'lost'; readonly winner: StoredRecord | undefined };

export type RecordEvent =
  | { readonly kind: 'record'; readonly record: StoredRecord }
  /** Everything that was there when the watch began has been seen. */
  | { readonly kind: 'current' };

/** Small messages: this many are on their way to a reader at one time. */
const batch = 256;

/** First-wins records: what several may decide at once, and all then read the same. */
export class Records {
  readonly #bus: Bus;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /**
   * Stores a record if there is none on its subject. Offering the very bytes that stand there is `won` too: a caller who
   * was not told of its success, or died and comes again, must not take itself for the loser and delete its own blob.
   */
  async offer(subject: RecordSubject, bytes: Uint8Array): Promise<Offer> {
    try {
      return await this.#bus.persist('cannot offer a record', async () => {
        const result = await swap(this.#bus, streams.records, subject, bytes, 0);
        if (result.kind === 'set') return { kind: 'won', sequence: result.sequence };
        if (result.found === undefined) throw new PassingFailure('the record went while it was asked for');
        return { kind: 'lost', winner: recordOf(result.found) };
      });
    } catch (cause) {
      throw this.#bus.explain('cannot offer a record', cause);
    }
  }

  /** The record on a subject, as its leader has it. */
  async read(subject: RecordSubject): Promise<StoredRecord | undefined> {
    try {
      const found = await lastMessage(this.#bus, streams.records, subject);
      return found && recordOf(found);
    } catch (cause) {
      throw this.#bus.explain('cannot read a record', cause);
    }
  }

  /** Puts another record in the place of the one with this sequence: for repairs. */
  async replace(subject: RecordSubject, bytes: Uint8Array, sequence: number): Promise<Replacement> {
    try {
      const result = await swap(this.#bus, streams.records, subject, bytes, sequence);
      return result.kind === 'set'
        ? { kind: 'replaced', sequence: result.sequence }
        : { kind: 'lost', winner: result.found && recordOf(result.found) };
    } catch (cause) {
      throw this.#bus.explain('cannot replace a record', cause);
    }
  }

  /** The records that are there, oldest first. */
  async *list(filter: RecordFilter): AsyncGenerator<StoredRecord, void> {
    for await (const event of this.#read(filter, false)) if (event.kind === 'record') yield event.record;
  }

  /**
   * The records that are there, then `current`, then each as it is stored or replaced: none left out and none twice,
   * whatever happens to the connection. Deletions are not seen. Waits for NATS for ever; ends with the signal.
   */
  watch(filter: RecordFilter, signal: AbortSignal): AsyncGenerator<RecordEvent, void> {
    return this.#read(filter, true, signal);
  }

  async *#read(filter: RecordFilter, live: boolean, signal?: AbortSignal): AsyncGenerator<RecordEvent, void> {
    try {
      for await (const event of orderedRead(this.#bus, streams.records, filter, { live, batch, signal }))
        yield event.kind === 'current' ? event : { kind: 'record', record: recordOf(event.message) };
    } catch (cause) {
      throw this.#bus.explain('cannot read records', cause);
    }
  }

  /** Deletes the record with this sequence and no other that took its place. Only for gc. */
  async delete(sequence: number): Promise<'deleted' | 'gone'> {
    try {
      await this.#bus.api(`STREAM.MSG.DELETE.${streams.records}`, { seq: sequence, no_erase: true });
      return 'deleted';
    } catch (cause) {
      if (hasApiCode(cause, apiCode.sequenceNotFound) || hasApiCode(cause, apiCode.noMessageFound)) return 'gone';
      throw this.#bus.explain('cannot delete a record', cause);
    }
  }
}

function recordOf({ subject, sequence, bytes }: StoredMessage): StoredRecord {
  return { subject: subject as RecordSubject, sequence, bytes };
}
