import { createHash } from 'node:crypto';
import { chunkSubject } from './blob-entry.ts';
import { type BlobSource, chunksOf } from './blob-source.ts';
import type { Bus } from './bus.ts';

/** Larger chunks are hardly faster; the server's limit is 1 MiB unless set. */
const chunkBytes = 512 * 1024;
/** Chunks on their way to or from the server: bounds the memory that a blob of any size takes. */
export const inFlight = 8;

/** What was sent. */
export interface SentChunks {
  /** Bytes. */
  readonly size: number;
  readonly chunks: number;
  /** SHA-256 of the bytes, 64 hex digits. */
  readonly digest: string;
}

/**
 * Stores the chunks of a blob, several on their way at a time. Each is stored once or not at all; when this ends, well or
 * not, none is on its way any more.
 *
 * @param check is told how many bytes there are with each chunk, before it is sent; what it throws ends this.
 * @throws what the bus throws: a lost connection is not waited for, since chunks have no numbers by which one could go on.
 */
export async function sendChunks(
  bus: Bus,
  chunksId: string,
  source: BlobSource,
  check: (size: number) => void,
): Promise<SentChunks> {
  const hash = createHash('sha256');
  const sent: Promise<unknown>[] = [];
  let size = 0;
  let chunks = 0;
  try {
    for await (const chunk of chunksOf(source, Math.min(chunkBytes, bus.maxPayload - 1024))) {
      size += chunk.length;
      chunks++;
      check(size);
      hash.update(chunk);
      const stored = bus.storeOnce(chunkSubject(chunksId), chunk);
      // Awaited below; until then a failure must not count as unhandled.
      stored.catch(() => undefined);
      sent.push(stored);
      if (sent.length >= inFlight) await sent.shift();
    }
    await Promise.all(sent);
  } finally {
    // None may arrive after the chunks are purged.
    await Promise.allSettled(sent);
  }
  return { size, chunks, digest: hash.digest('hex') };
}
