import { apiCode, hasApiCode, isUnheard } from './bus-error.ts';
import type { Bus } from './bus.ts';
import { type ReplySubject, replyFields } from './lease.ts';
import { streams } from './names.ts';

/** What became of a command about a lease: `gone` if its queue is not there any more. */
export type LeaseOutcome = 'done' | 'gone';

/**
 * Tells JetStream what becomes of a lease, and waits until it has heard.
 *
 * @param command of JetStream's acknowledgements: `+ACK`, `-NAK`, `+WPI`, `+TERM`
 * @throws LetheError `bus-unavailable`, `bus-refused`, `bus-failed`.
 */
export async function commandLease(bus: Bus, reply: ReplySubject, command: string): Promise<LeaseOutcome> {
  const consumer = replyFields(reply)?.consumer ?? '';
  try {
    return await bus.persist('cannot act on a lease', async () => {
      try {
        await bus.request(reply, command);
        return 'done';
      } catch (cause) {
        // Nobody listens for this: the consumer is deleted, or the server is not ready yet.
        if (isUnheard(cause) && !(await hasConsumer(bus, consumer))) return 'gone';
        throw cause;
      }
    });
  } catch (cause) {
    throw bus.explain('cannot act on a lease', cause);
  }
}

async function hasConsumer(bus: Bus, consumer: string): Promise<boolean> {
  try {
    await bus.api(`CONSUMER.INFO.${streams.units}.${consumer}`);
    return true;
  } catch (cause) {
    if (hasApiCode(cause, apiCode.consumerNotFound)) return false;
    throw cause;
  }
}
