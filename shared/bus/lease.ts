import { LetheError } from '../error/lethe-error.ts';
import { type UnitAddress, parseUnitSubject, streams } from './names.ts';

/** A unit that was handed out. It comes back to the queue unless it is renewed or ended within the lease time. */
export interface Lease {
  readonly address: UnitAddress;
  /** The message as it was published. */
  readonly bytes: Uint8Array;
  /**
   * With this, any coordinator renews or ends the lease; a worker keeps it beside its unit. It acts on the unit, not on
   * the delivery: held too long, it acts on whoever has the unit now.
   */
  readonly reply: ReplySubject;
  /** 1 for the first time. */
  readonly deliveries: number;
  /** Of the message in the queue. */
  readonly sequence: number;
  /** Units of the same queue that waited when this one was handed out. */
  readonly pending: number;
}

declare const checked: unique symbol;
export type ReplySubject = string & { readonly [checked]: true };

/** What a reply subject says of its message. */
export interface ReplyFields {
  readonly consumer: string;
  readonly deliveries: number;
  readonly sequence: number;
  readonly deliverySequence: number;
  /** Milliseconds since 1970. */
  readonly storedAt: number;
  readonly pending: number;
}

/**
 * Takes a reply subject from a worker. What is sent there is a command to the server, so nothing but the subject of a
 * lease of the unit queue passes.
 *
 * @throws LetheError `lease-invalid`
 */
export function parseReplySubject(text: string): ReplySubject {
  const fields = replyFields(text);
  if (fields?.stream !== streams.units) {
    throw new LetheError('lease-invalid', {
      what: 'cannot act on a lease',
      where: JSON.stringify(text.slice(0, 200)),
      why: 'this is not the reply subject of a queued unit',
      next: 'look at the worker that sent it',
    });
  }
  return text as ReplySubject;
}

/**
 * Fields of `$JS.ACK.[<domain>.<account>.]<stream>.<consumer>.<deliveries>.<sequence>.<delivery>.<time>.<pending>[.<random>]`;
 * undefined for any other subject.
 */
export function replyFields(reply: string): (ReplyFields & { readonly stream: string }) | undefined {
  if (!/^\$JS\.ACK(?:\.[\w-]+)+$/.test(reply) || reply.length > 1000) return undefined;
  const tokens = reply.split('.').slice(2);
  if (tokens.length !== 7 && tokens.length !== 9 && tokens.length !== 10) return undefined;
  const [stream, consumer, ...rest] = tokens.length === 7 ? tokens : tokens.slice(2);
  const numbers = rest.slice(0, 5);
  if (stream === undefined || consumer === undefined || !numbers.every((token) => /^\d{1,20}$/.test(token)))
    return undefined;
  const [deliveries = 0, sequence = 0, deliverySequence = 0, nanoseconds = 0, pending = 0] = numbers.map(Number);
  return { stream, consumer, deliveries, sequence, deliverySequence, storedAt: nanoseconds / 1e6, pending };
}

/** The lease that a message of the unit queue is; undefined for any other message. */
export function leaseOf(message: { subject: string; data: Uint8Array; reply?: string }): Lease | undefined {
  const reply = message.reply ?? '';
  const fields = replyFields(reply);
  const address = parseUnitSubject(message.subject);
  if (fields === undefined || address === undefined) return undefined;
  const { deliveries, sequence, pending } = fields;
  return { address, bytes: message.data, reply: reply as ReplySubject, deliveries, sequence, pending };
}
