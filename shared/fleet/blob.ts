import { createHash } from 'node:crypto';
import { chunkBytes } from './protocol.ts';
import type { BlobSummary } from './task.ts';
import { violation } from './violation.ts';

/** A piece of one of a task's blobs. */
export interface BlobChunk {
  /** Index of the blob. */
  readonly blob: number;
  readonly data: Uint8Array;
}

export function summaryOf(bytes: Uint8Array): BlobSummary {
  return { length: bytes.length, sha256: sha256(bytes) };
}

/** The pieces of some blobs, in the order in which they have to arrive; views, nothing is copied. */
export function* chunksOf(blobs: readonly Uint8Array[]): Generator<BlobChunk, void, undefined> {
  for (const [blob, bytes] of blobs.entries())
    for (let at = 0; at < bytes.length; at += chunkBytes) yield { blob, data: bytes.subarray(at, at + chunkBytes) };
}

/** Blobs that arrive in pieces. Memory is taken as bytes come, never for what is only announced. */
export class BlobAssembly {
  readonly #expected: readonly BlobSummary[];
  readonly #done: Uint8Array[] = [];
  #pieces: Uint8Array[] = [];
  #length = 0;

  constructor(expected: readonly BlobSummary[]) {
    this.#expected = expected;
    this.#complete();
  }

  /** All blobs, once the last byte is there. */
  get result(): readonly Uint8Array[] | undefined {
    return this.#done.length === this.#expected.length ? this.#done : undefined;
  }

  /** @throws LetheError `protocol-violated` for a piece out of order, too large or too many, or bytes that were changed. */
  add({ blob, data }: BlobChunk): void {
    const expected = this.#expected[this.#done.length];
    if (expected === undefined || blob !== this.#done.length)
      throw violation(
        'chunk.blob',
        `it is ${blob}, and ${this.#done.length} of ${this.#expected.length} blobs are there`,
      );
    if (data.length === 0 || data.length > chunkBytes)
      throw violation('chunk.data', `it has ${data.length} bytes; 1 to ${chunkBytes} are a chunk`);
    this.#length += data.length;
    if (this.#length > expected.length)
      throw violation('chunk.data', `blob ${blob} was announced with ${expected.length} bytes, and has more`);
    this.#pieces.push(data);
    this.#complete();
  }

  #complete(): void {
    let expected = this.#expected[this.#done.length];
    while (expected?.length === this.#length) {
      const bytes = this.#pieces.length === 1 ? (this.#pieces[0] ?? new Uint8Array()) : Buffer.concat(this.#pieces);
      if (sha256(bytes) !== expected.sha256)
        throw violation('chunk.data', `blob ${this.#done.length} does not have the hash it was announced with`);
      this.#done.push(bytes);
      this.#pieces = [];
      this.#length = 0;
      expected = this.#expected[this.#done.length];
    }
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
