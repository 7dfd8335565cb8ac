import { createHash, randomBytes } from 'node:crypto';
import { LetheError } from '../error/lethe-error.ts';
import {
  type Blob,
  type BlobEntry,
  allEntries,
  chunkSubject,
  entryBytes,
  entrySubject,
  parseEntry,
} from './blob-entry.ts';
import { inFlight, sendChunks } from './blob-chunks.ts';
import type { BlobSource } from './blob-source.ts';
import { PassingFailure } from './bus-error.ts';
import type { Bus } from './bus.ts';
import { blobStore } from './names.ts';
import { orderedRead } from './ordered-read.ts';
import { lastMessage, swap } from './stored-message.ts';

const stream = `OBJ_${blobStore}`;

/**
 * Blobs by name. Written in chunks and then entered, so a blob is there whole or not at all; chunks that were never entered
 * (a writer that was killed) stay until gc. The `nats` package has an object store too; it holds all chunks of a blob in
 * memory, hashes in JavaScript, and waits for ever where a chunk is missing.
 */
export class Blobs {
  readonly #bus: Bus;
  readonly #most: number;

  /** @param most bytes of a blob. */
  constructor(bus: Bus, most: number = 2 ** 30) {
    this.#bus = bus;
    this.#most = most;
  }

  /**
   * Stores a blob, in place of the one that had its name.
   *
   * @throws LetheError `blob-too-large`, `bus-unavailable`, `bus-store-failed`.
   */
  async put(name: string, source: BlobSource): Promise<Blob> {
    if (source instanceof Uint8Array && source.length > this.#most) throw this.#tooLarge(name, source.length);
    const abandoned: string[] = [];
    try {
      // From the beginning if the connection is lost: chunks have no numbers by which one could go on.
      return await this.#bus.persist(`cannot store the blob ${name}`, () => this.#putOnce(name, source, abandoned));
    } catch (cause) {
      throw this.#bus.explain(`cannot store the blob ${name}`, cause);
    } finally {
      // As far as it goes: what stays is gc's.
      if (!this.#bus.connection.aborted)
        for (const chunksId of abandoned) await this.#purge(chunkSubject(chunksId)).catch(() => undefined);
    }
  }

  async #putOnce(name: string, source: BlobSource, abandoned: string[]): Promise<Blob> {
    const before = await lastMessage(this.#bus, stream, entrySubject(name));
    const chunksId = randomBytes(11).toString('hex');
    abandoned.push(chunksId);
    const content = await sendChunks(this.#bus, chunksId, source, (size) => {
      if (size > this.#most) throw this.#tooLarge(name, size);
    });
    const bytes = entryBytes({ name, chunksId, ...content });
    // From here on they may be entered even if no answer comes.
    abandoned.pop();
    const entered = await swap(this.#bus, stream, entrySubject(name), bytes, before?.sequence ?? 0);
    if (entered.kind === 'conflict') {
      abandoned.push(chunksId);
      throw new PassingFailure('another writer stored a blob of this name meanwhile');
    }
    const old = before && parseEntry(before);
    if (old !== undefined) await this.#purge(chunkSubject(old.chunksId));
    if (before !== undefined) await this.#purge(entrySubject(name), entered.sequence);
    return { name, digest: content.digest, size: content.size };
  }

  /** What is stored under a name; undefined if nothing is. */
  async find(name: string): Promise<Blob | undefined> {
    const entry = await this.#entry(name);
    return entry && { name: entry.name, digest: entry.digest, size: entry.size };
  }

  /** Every blob, for gc. */
  async *list(): AsyncGenerator<Blob, void> {
    try {
      for await (const event of orderedRead(this.#bus, stream, allEntries, { live: false, batch: 256 })) {
        const entry = event.kind === 'message' ? parseEntry(event.message) : undefined;
        if (entry !== undefined) yield { name: entry.name, digest: entry.digest, size: entry.size };
      }
    } catch (cause) {
      throw this.#bus.explain('cannot list blobs', cause);
    }
  }

  /**
   * The bytes of a blob.
   *
   * @param digest the SHA-256 that a record names, 64 hex digits.
   * @throws LetheError `blob-missing`, `blob-damaged` if they are not the bytes that were stored or not those of `digest`,
   * `blob-too-large`, `bus-unavailable`.
   */
  async get(name: string, digest?: string): Promise<Uint8Array> {
    const entry = await this.#mustFind(name);
    const bytes = new Uint8Array(entry.size);
    let filled = 0;
    for await (const chunk of this.#chunks(entry, digest)) {
      bytes.set(chunk, filled);
      filled += chunk.length;
    }
    return bytes;
  }

  /** The same piece by piece. What came is to be trusted only when the iteration has ended without an error. */
  async *stream(name: string, digest?: string): AsyncGenerator<Uint8Array, void> {
    yield* this.#chunks(await this.#mustFind(name), digest);
  }

  async *#chunks(entry: BlobEntry, digest: string | undefined): AsyncGenerator<Uint8Array, void> {
    const hash = createHash('sha256');
    let size = 0;
    try {
      const filter = chunkSubject(entry.chunksId);
      for await (const event of orderedRead(this.#bus, stream, filter, { live: false, batch: inFlight })) {
        if (event.kind === 'current') break;
        size += event.message.bytes.length;
        if (size > entry.size) break;
        hash.update(event.message.bytes);
        yield event.message.bytes;
        if (size === entry.size) break;
      }
    } catch (cause) {
      throw this.#bus.explain(`cannot read the blob ${entry.name}`, cause);
    }
    if (size !== entry.size && (await this.#entry(entry.name))?.chunksId !== entry.chunksId)
      throw missing(entry.name, 'it was deleted or replaced while it was read');
    if (size !== entry.size) throw damaged(entry.name, `it has ${size} bytes, and ${entry.size} were stored`);
    const found = hash.digest('hex');
    for (const expected of [entry.digest, digest ?? entry.digest])
      if (found !== expected) throw damaged(entry.name, `its SHA-256 is ${found}, not ${expected}`);
  }

  /** Deletes a blob; one that is not there is no error. */
  async delete(name: string): Promise<void> {
    const entry = await this.#entry(name);
    try {
      await this.#purge(entrySubject(name));
      if (entry !== undefined) await this.#purge(chunkSubject(entry.chunksId));
    } catch (cause) {
      throw this.#bus.explain(`cannot delete the blob ${name}`, cause);
    }
  }

  async #mustFind(name: string): Promise<BlobEntry> {
    const entry = await this.#entry(name);
    if (entry === undefined) throw missing(name, 'it was never stored, or is deleted');
    if (entry.size > this.#most) throw this.#tooLarge(name, entry.size);
    return entry;
  }

  async #entry(name: string): Promise<BlobEntry | undefined> {
    try {
      const found = await lastMessage(this.#bus, stream, entrySubject(name));
      return found && parseEntry(found);
    } catch (cause) {
      throw this.#bus.explain(`cannot find the blob ${name}`, cause);
    }
  }

  /**
   * Removes the messages on a subject, or those before a sequence. Not for good: seen with nats-server 2.15.1, what is
   * purged by subject can come back when the server is killed later and not stopped. A blob's chunks are then without entry,
   * or its entry names chunks that are there: never a blob that is half there.
   */
  async #purge(filter: string, before?: number): Promise<void> {
    await this.#bus.api(`STREAM.PURGE.${stream}`, { filter, ...(before !== undefined && { seq: before }) });
  }

  #tooLarge(name: string, size: number): LetheError {
    return new LetheError('blob-too-large', {
      what: 'cannot store or read a blob',
      where: name,
      why: `it has ${size} bytes or more, and the limit is ${this.#most}`,
      next: 'use smaller batches, or raise the limit',
    });
  }
}

function missing(name: string, why: string): LetheError {
  return new LetheError('blob-missing', { what: 'cannot read a blob', where: name, why, next: 'run its unit again' });
}

function damaged(name: string, why: string): LetheError {
  return new LetheError('blob-damaged', { what: 'cannot read a blob', where: name, why, next: 'run its unit again' });
}
