import type { Msg } from 'nats';
import { createInbox } from 'nats';
import { setMaxListeners } from 'node:events';
import { apiCode, hasApiCode } from './bus-error.ts';
import type { Bus } from './bus.ts';

export interface PullRequest {
  /** Messages at most. */
  readonly batch: number;
  /** How long to wait for them; 0 takes what is there. */
  readonly expiresMs: number;
  /** Called for messages that arrive when nobody takes them any more. */
  readonly unwanted?: (reply: string) => void;
  /** Ends the request early. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Why no more messages come: all asked for are here, none are left or none came in time, the connection or the server's
 * part of the consumer was interrupted, or the consumer is not there.
 */
export type PullEnd = 'filled' | 'empty' | 'interrupted' | 'missing';

/** How much later than the server the client gives up on an answer. */
const graceMs = 2_000;

/** One request to a pull consumer. */
export interface Pull {
  /** As they arrive. Whoever stops early leaves nothing behind. */
  readonly messages: AsyncGenerator<Msg, void>;
  /** Known when the messages have ended. */
  end: PullEnd;
}

/**
 * Asks a pull consumer for messages. The `nats` package has this as well, but tells statuses apart by their text, and hands
 * out nothing of a batch it stops early.
 */
export function pull(bus: Bus, stream: string, consumer: string, request: PullRequest): Pull {
  const result: Pull = { end: 'interrupted', messages: messagesOf() };
  async function* messagesOf() {
    result.end = yield* receive(bus, stream, consumer, request);
  }
  return result;
}

async function* receive(
  bus: Bus,
  stream: string,
  consumer: string,
  { batch, expiresMs, unwanted, signal }: PullRequest,
): AsyncGenerator<Msg, PullEnd> {
  await bus.persist('cannot pull', () => {
    bus.connection.throwIfAborted();
    return Promise.resolve();
  });
  const endings = signal === undefined ? [bus.connection] : [bus.connection, signal];
  const arrived: Msg[] = [];
  let end: PullEnd | 'unsure' | undefined;
  let wake: (() => void) | undefined;
  const finish = (why: PullEnd | 'unsure') => {
    end ??= why;
    wake?.();
  };
  const inbox = createInbox();
  const subscription = bus.subscribe(inbox, (message) => {
    const status = message.subject === inbox && message.data.length === 0 ? message.headers?.code : undefined;
    if (status === undefined || status === 0) arrived.push(message);
    else if (status === 404 || status === 408) finish('empty');
    else if (status >= 300) finish('unsure');
    wake?.();
  });
  const interrupted = () => {
    finish('interrupted');
  };
  // Any number of pulls may be under way on one connection.
  setMaxListeners(0, ...endings);
  for (const ending of endings) {
    ending.addEventListener('abort', interrupted, { once: true });
    if (ending.aborted) interrupted();
  }
  const timer = setTimeout(interrupted, expiresMs + Math.max(graceMs, bus.requestMs));
  const request = { batch, ...(expiresMs > 0 ? { expires: expiresMs * 1e6 } : { no_wait: true }) };
  let handed = 0;
  try {
    bus.send(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, JSON.stringify(request), inbox);
    for (;;) {
      const message = arrived.shift();
      if (message !== undefined) {
        handed++;
        yield message;
        if (handed === batch) return 'filled';
      } else if (end !== undefined) {
        return end === 'unsure' ? await whyEnded(bus, stream, consumer) : end;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    clearTimeout(timer);
    for (const ending of endings) ending.removeEventListener('abort', interrupted);
    // What the server sent before it heard of this arrives before the drain ends.
    if (!subscription.isClosed()) await subscription.drain().catch(() => undefined);
    for (const { reply } of arrived) if (reply !== undefined) unwanted?.(reply);
  }
}

/** After 409 and 503: the consumer is gone, or only busy (a new leader, a server that stops or is not ready). */
async function whyEnded(bus: Bus, stream: string, consumer: string): Promise<PullEnd> {
  try {
    await bus.api(`CONSUMER.INFO.${stream}.${consumer}`);
    return 'interrupted';
  } catch (cause) {
    if (hasApiCode(cause, apiCode.consumerNotFound) || hasApiCode(cause, apiCode.streamNotFound)) return 'missing';
    throw bus.explain('cannot pull', cause);
  }
}
