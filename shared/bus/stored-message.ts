import { apiCode, hasApiCode, isConflict } from './bus-error.ts';
import type { Bus } from './bus.ts';

/** A message as it stands in a stream. */
export interface StoredMessage {
  readonly subject: string;
  readonly sequence: number;
  readonly bytes: Uint8Array;
  /** By the server's clock, milliseconds since 1970. */
  readonly storedAt: number;
  /** Removed from a bucket, with this message as the trace of it. */
  readonly isTombstone: boolean;
}

interface Answer {
  readonly message: {
    readonly subject: string;
    readonly seq: number;
    readonly data?: string;
    readonly hdrs?: string;
    readonly time: string;
  };
}

/** The last message on a subject, as the stream's leader has it: a read that follows a write sees it. */
export async function lastMessage(bus: Bus, stream: string, subject: string): Promise<StoredMessage | undefined> {
  try {
    const { message } = await bus.api<Answer>(`STREAM.MSG.GET.${stream}`, { last_by_subj: subject });
    const head = Buffer.from(message.hdrs ?? '', 'base64').toString('latin1');
    return {
      subject: message.subject,
      sequence: message.seq,
      bytes: new Uint8Array(Buffer.from(message.data ?? '', 'base64')),
      storedAt: Date.parse(message.time),
      isTombstone: isTombstone(/^KV-Operation:[ ]*(\w+)/m.exec(head)?.[1]),
    };
  } catch (cause) {
    if (hasApiCode(cause, apiCode.noMessageFound)) return undefined;
    throw cause;
  }
}

/** Whether this value of the header `KV-Operation` marks a removal. */
export function isTombstone(operation: string | undefined): boolean {
  return operation === 'DEL' || operation === 'PURGE';
}

/** What came of a write that expected something on its subject. */
export type Swap =
  | { readonly kind: 'set'; readonly sequence: number }
  /** Something else stands there, or nothing any more. */
  | { readonly kind: 'conflict'; readonly found: StoredMessage | undefined };

/**
 * Stores a message if the last one on its subject has the expected sequence (0: there is none). Where the bytes are there
 * already the answer is `set`: a writer who was not told of its success may ask again.
 */
export async function swap(
  bus: Bus,
  stream: string,
  subject: string,
  bytes: Uint8Array,
  expected: number,
): Promise<Swap> {
  try {
    return { kind: 'set', ...(await bus.store(subject, bytes, expected)) };
  } catch (cause) {
    if (!isConflict(cause)) throw cause;
    const found = await lastMessage(bus, stream, subject);
    const same = found !== undefined && !found.isTombstone && Buffer.compare(found.bytes, bytes) === 0;
    return same ? { kind: 'set', sequence: found.sequence } : { kind: 'conflict', found };
  }
}
