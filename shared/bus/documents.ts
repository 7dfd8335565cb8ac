import type { Bus } from './bus.ts';
import type { Bucket } from './names.ts';
import { orderedRead } from './ordered-read.ts';
import { type StoredMessage, type Swap, lastMessage, swap } from './stored-message.ts';
import { decodeToken, encodeToken } from './token.ts';

/** A document as it stands. The next version of it names this one by its sequence. */
export interface Document {
  readonly key: string;
  readonly sequence: number;
  readonly bytes: Uint8Array;
}

/** One that was read. */
export interface StoredDocument extends Document {
  /** By the server's clock, milliseconds since 1970. */
  readonly storedAt: number;
}

export type Change =
  | { readonly kind: 'stored'; readonly sequence: number }
  /** Another version stands there (or none): apply the change to that one and try again. */
  | { readonly kind: 'conflict'; readonly found: StoredDocument | undefined };

export type DocumentEvent =
  | { readonly kind: 'document'; readonly document: StoredDocument }
  | { readonly kind: 'removed'; readonly key: string }
  | { readonly kind: 'current' };

const batch = 64;

/**
 * Documents of one kind by key, in a bucket of NATS KV (`nats kv` reads it): the entries of campaigns, the manifests. They
 * change by compare-and-set only.
 */
export class Documents {
  readonly #bus: Bus;
  readonly #bucket: Bucket;

  constructor(bus: Bus, bucket: Bucket) {
    this.#bus = bus;
    this.#bucket = bucket;
  }

  /** The document, as its leader has it. */
  async read(key: string): Promise<StoredDocument | undefined> {
    try {
      return this.#documentOf(await lastMessage(this.#bus, this.#stream, this.#subject(key)));
    } catch (cause) {
      throw this.#bus.explain(`cannot read ${key}`, cause);
    }
  }

  /** Stores a document under a key that has none. */
  async create(key: string, bytes: Uint8Array): Promise<Change> {
    const change = await this.#swap(key, bytes, 0);
    // One that was removed, with `nats kv del`, leaves a trace under its key.
    const trace = change.kind === 'conflict' && change.found?.isTombstone ? change.found.sequence : undefined;
    return this.#changeOf(trace === undefined ? change : await this.#swap(key, bytes, trace));
  }

  /** Puts another version in the place of the one with this sequence. */
  async update(key: string, bytes: Uint8Array, sequence: number): Promise<Change> {
    return this.#changeOf(await this.#swap(key, bytes, sequence));
  }

  /** Every document, then `current`, then each version as it is stored. Waits for NATS for ever; ends with the signal. */
  async *watch(signal: AbortSignal, key?: string): AsyncGenerator<DocumentEvent, void> {
    const filter = key === undefined ? `$KV.${this.#bucket}.>` : this.#subject(key);
    try {
      for await (const event of orderedRead(this.#bus, this.#stream, filter, { live: true, batch, signal })) {
        if (event.kind === 'current') yield event;
        else yield* this.#eventOf(event.message);
      }
    } catch (cause) {
      throw this.#bus.explain('cannot watch documents', cause);
    }
  }

  get #stream(): string {
    return `KV_${this.#bucket}`;
  }

  #subject(key: string): string {
    return `$KV.${this.#bucket}.${encodeToken(key, 'key')}`;
  }

  async #swap(key: string, bytes: Uint8Array, expected: number): Promise<Swap> {
    const subject = this.#subject(key);
    try {
      return await swap(this.#bus, this.#stream, subject, bytes, expected);
    } catch (cause) {
      throw this.#bus.explain(`cannot store ${key}`, cause);
    }
  }

  #changeOf(result: Swap): Change {
    if (result.kind === 'set') return { kind: 'stored', sequence: result.sequence };
    return { kind: 'conflict', found: this.#documentOf(result.found) };
  }

  #documentOf(message: StoredMessage | undefined): StoredDocument | undefined {
    if (message === undefined || message.isTombstone) return undefined;
    const key = this.#keyOf(message.subject);
    if (key === undefined) return undefined;
    return { key, sequence: message.sequence, bytes: message.bytes, storedAt: message.storedAt };
  }

  *#eventOf(message: StoredMessage): Generator<DocumentEvent, void> {
    const key = this.#keyOf(message.subject);
    const document = this.#documentOf(message);
    if (document !== undefined) yield { kind: 'document', document };
    else if (key !== undefined) yield { kind: 'removed', key };
  }

  #keyOf(subject: string): string | undefined {
    return decodeToken(subject.slice(`$KV.${this.#bucket}.`.length));
  }
}
