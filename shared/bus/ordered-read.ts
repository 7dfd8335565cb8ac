import { randomUUID } from 'node:crypto';
import type { Msg } from 'nats';
import { LetheError } from '../error/lethe-error.ts';
import type { Bus } from './bus.ts';
import { type ReplyFields, replyFields } from './lease.ts';
import { pull } from './pull.ts';
import { type StoredMessage, isTombstone } from './stored-message.ts';

/** Messages of a stream in their order; `current` stands once, after all that was there at the beginning. */
export type ReadEvent = { readonly kind: 'message'; readonly message: StoredMessage } | { readonly kind: 'current' };

export interface ReadOptions {
  /** Goes on with what is stored later, for ever, until the signal; otherwise ends with `current`. */
  readonly live: boolean;
  /** Messages asked for at a time. */
  readonly batch: number;
  readonly signal?: AbortSignal | undefined;
}

const liveMs = 20_000;
/** A consumer nobody pulls from goes by itself. */
const idleMs = 60_000;

/**
 * Reads the messages of a stream that match a filter, each once and in order of sequence, across lost connections and
 * restarts of the server: whatever goes wrong, a new ordered consumer starts behind the last message handed out. A gap
 * shows as a jump in the numbers that the consumer gives to its deliveries.
 */
export async function* orderedRead(
  bus: Bus,
  stream: string,
  filter: string,
  { live, batch, signal }: ReadOptions,
): AsyncGenerator<ReadEvent, void> {
  let last = 0;
  let current = false;
  while (!signal?.aborted) {
    const connection = bus.connection;
    const consumer = await createConsumer(bus, stream, filter, last + 1, live);
    if (consumer === undefined) continue;
    let delivered = 0;
    try {
      for (let intact = true; intact && !signal?.aborted && !connection.aborted;) {
        const pulling = pull(bus, stream, consumer, { batch, expiresMs: current ? liveMs : 0, signal });
        for await (const message of pulling.messages) {
          const fields = replyFields(message.reply ?? '');
          if (fields?.deliverySequence !== delivered + 1) {
            intact = false;
            break;
          }
          delivered++;
          last = fields.sequence;
          yield { kind: 'message', message: storedOf(message, fields) };
        }
        intact &&= pulling.end === 'filled' || pulling.end === 'empty';
        if (!intact || pulling.end === 'filled' || current) continue;
        current = true;
        yield { kind: 'current' };
        if (!live) return;
      }
    } catch (cause) {
      if (!(live && isAway(bus, cause))) throw cause;
    } finally {
      // If this fails, the consumer goes when it has been idle.
      if (!bus.isClosed) bus.send(`$JS.API.CONSUMER.DELETE.${stream}.${consumer}`, '');
    }
  }
}

/** Whether NATS is away and may come back. */
function isAway(bus: Bus, cause: unknown): boolean {
  return cause instanceof LetheError && cause.code === 'bus-unavailable' && !bus.isClosed;
}

/** Undefined where NATS is away and the read is one that waits for it. */
async function createConsumer(
  bus: Bus,
  stream: string,
  filter: string,
  from: number,
  live: boolean,
): Promise<string | undefined> {
  const name = `read-${randomUUID()}`;
  const config = {
    name,
    ack_policy: 'none',
    deliver_policy: 'by_start_sequence',
    opt_start_seq: from,
    replay_policy: 'instant',
    filter_subject: filter,
    inactive_threshold: idleMs * 1e6,
    mem_storage: true,
    num_replicas: 1,
  };
  try {
    await bus.api(`CONSUMER.CREATE.${stream}.${name}.${filter}`, { stream_name: stream, config });
    return name;
  } catch (cause) {
    const error = bus.explain('cannot read a stream', cause);
    if (live && isAway(bus, error)) return undefined;
    throw error;
  }
}

function storedOf(message: Msg, { sequence, storedAt }: ReplyFields): StoredMessage {
  const operation = message.headers?.get('KV-Operation');
  return { subject: message.subject, sequence, bytes: message.data, storedAt, isTombstone: isTombstone(operation) };
}
