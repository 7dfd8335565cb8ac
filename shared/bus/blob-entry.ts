import { z } from 'zod';
import { blobStore } from './names.ts';
import type { StoredMessage } from './stored-message.ts';

/** A blob that is stored. */
export interface Blob {
  readonly name: string;
  /** SHA-256 of its bytes, 64 hex digits. */
  readonly digest: string;
  /** In bytes. */
  readonly size: number;
}

/** What the store notes of a blob beside its chunks. */
export interface BlobEntry extends Blob {
  /** Names the subject of its chunks. */
  readonly chunksId: string;
  readonly chunks: number;
  /** Of this entry in the stream. */
  readonly sequence: number;
}

/** NATS' own format of object stores (ADR-20), so `nats object` reads them too. */
const format = z.object({
  name: z.string().min(1),
  nuid: z.string().regex(/^[A-Za-z0-9]{1,64}$/),
  size: z.int().min(0),
  chunks: z.int().min(0),
  digest: z.string().regex(/^SHA-256=[\w-]{43}=?$/),
  deleted: z.boolean().optional(),
});

export function entryBytes({ name, digest, size, chunksId, chunks }: Omit<BlobEntry, 'sequence'>): Uint8Array {
  const encoded = Buffer.from(digest, 'hex').toString('base64url');
  const entry = {
    name,
    bucket: blobStore,
    nuid: chunksId,
    size,
    chunks,
    digest: `SHA-256=${encoded}=`,
    mtime: new Date().toISOString(),
  };
  return Buffer.from(JSON.stringify(entry));
}

/** Undefined for a blob that `nats object rm` removed, and for what is no entry. */
export function parseEntry({ bytes, sequence }: StoredMessage): BlobEntry | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
  const { data } = format.safeParse(value);
  if (data === undefined || data.deleted) return undefined;
  const digest = Buffer.from(data.digest.slice('SHA-256='.length), 'base64url').toString('hex');
  return { name: data.name, digest, size: data.size, chunksId: data.nuid, chunks: data.chunks, sequence };
}

export function entrySubject(name: string): string {
  const token = Buffer.from(name, 'utf8').toString('base64url');
  return `$O.${blobStore}.M.${token}${'='.repeat((4 - (token.length % 4)) % 4)}`;
}

export const allEntries = `$O.${blobStore}.M.>`;

export function chunkSubject(chunksId: string): string {
  return `$O.${blobStore}.C.${chunksId}`;
}
