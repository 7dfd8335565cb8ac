import { LetheError } from '../error/lethe-error.ts';
import { apiCode, hasApiCode, isConflict } from './bus-error.ts';
import type { Bus } from './bus.ts';
import { type Lease, leaseOf, type ReplySubject } from './lease.ts';
import { commandLease, type LeaseOutcome } from './lease-command.ts';
import {
  type QueueName,
  type UnitAddress,
  campaignConsumers,
  campaignFilter,
  consumerName,
  parseUnitSubject,
  queueFilter,
  streams,
  unitSubject,
} from './names.ts';
import { pull } from './pull.ts';

/** A lease ends this long after it was given or renewed. */
export const leaseMs = 30_000;

/** How many units of a queue stand where. */
export interface QueueDepth {
  readonly waiting: number;
  /** Also those whose lease ended, or that were given back, until they are handed out again. */
  readonly leased: number;
}

/** The queue of units: one subject a unit, one consumer a campaign and class. */
export class WorkQueue {
  readonly #bus: Bus;
  readonly #leaseMs: number;

  /** @param lease time until a silent lease ends, in ms; all coordinators of a fleet must agree on it. */
  constructor(bus: Bus, lease: number = leaseMs) {
    this.#bus = bus;
    this.#leaseMs = lease;
  }

  /**
   * Queues a unit, unless it waits or is leased at that address already.
   *
   * @throws LetheError `bus-unavailable`, `bus-store-failed` (a full disk), `bus-failed`.
   */
  async publish(address: UnitAddress, bytes: Uint8Array): Promise<'queued' | 'already-queued'> {
    try {
      await this.#bus.store(unitSubject(address), bytes, 0);
      return 'queued';
    } catch (cause) {
      if (isConflict(cause)) return 'already-queued';
      throw this.#bus.explain('cannot queue a unit', cause);
    }
  }

  /**
   * Makes the consumer of a queue, or brings it up to date.
   *
   * @param most leases of this queue at one time, in the whole fleet.
   */
  async open(queue: QueueName, most: number): Promise<void> {
    const name = consumerName(queue);
    const config = {
      durable_name: name,
      name,
      ack_policy: 'explicit',
      deliver_policy: 'all',
      replay_policy: 'instant',
      ack_wait: this.#leaseMs * 1e6,
      max_deliver: -1,
      max_ack_pending: most,
      max_waiting: 4096,
      filter_subject: queueFilter(queue),
    };
    const path = `CONSUMER.CREATE.${streams.units}.${name}.${queueFilter(queue)}`;
    await this.#ask(`cannot open the queue ${name}`, path, { stream_name: streams.units, config });
  }

  /**
   * Asks a queue for units. They come one by one, as soon as they are there; the iteration ends after `most`, after
   * `expiresMs` (0: what is there now), when the signal is given, or when the connection is lost. Units that arrive after the caller has stopped iterating go back.
   *
   * @throws LetheError `queue-missing`, `bus-unavailable`.
   */
  async *pull(queue: QueueName, most: number, expiresMs: number, signal?: AbortSignal): AsyncGenerator<Lease, void> {
    const unwanted = (reply: string) => {
      this.#bus.send(reply, '-NAK');
    };
    const request = { batch: most, expiresMs, signal, unwanted };
    const pulling = pull(this.#bus, streams.units, consumerName(queue), request);
    for await (const message of pulling.messages) {
      const lease = leaseOf(message);
      if (lease !== undefined) yield lease;
    }
    if (pulling.end === 'missing') throw missing(queue);
  }

  /** Gives a lease its whole time again. Confirmed: a renewal that fails has not reached the server. */
  renew(reply: ReplySubject): Promise<LeaseOutcome> {
    return commandLease(this.#bus, reply, '+WPI');
  }

  /** Takes the unit out of the queue: its record is there. */
  acknowledge(reply: ReplySubject): Promise<LeaseOutcome> {
    return commandLease(this.#bus, reply, '+ACK');
  }

  /** Takes the unit out of the queue without a record: its campaign is over. */
  terminate(reply: ReplySubject): Promise<LeaseOutcome> {
    return commandLease(this.#bus, reply, '+TERM');
  }

  /** Gives a unit back to the queue, at once or after a delay. Only for a lease that is surely held still. */
  giveBack(reply: ReplySubject, delayMs = 0): Promise<LeaseOutcome> {
    return commandLease(this.#bus, reply, delayMs > 0 ? `-NAK ${JSON.stringify({ delay: delayMs * 1e6 })}` : '-NAK');
  }

  /** @throws LetheError `queue-missing` */
  async depth(queue: QueueName): Promise<QueueDepth> {
    const path = `CONSUMER.INFO.${streams.units}.${consumerName(queue)}`;
    try {
      const info = await this.#bus.api<{ num_pending: number; num_ack_pending: number }>(path);
      return { waiting: info.num_pending, leased: info.num_ack_pending };
    } catch (cause) {
      if (hasApiCode(cause, apiCode.consumerNotFound)) throw missing(queue);
      throw this.#bus.explain('cannot count the units of a queue', cause);
    }
  }

  /** Units of a campaign that wait or are leased, in all its queues. Names every one of them: for polling, use `depth`. */
  async queued(campaign: string): Promise<readonly UnitAddress[]> {
    const found: UnitAddress[] = [];
    for (let offset = 0; ;) {
      const { state, total } = await this.#ask<{ state: { subjects?: Record<string, number> }; total?: number }>(
        'cannot list the units of a campaign',
        `STREAM.INFO.${streams.units}`,
        { subjects_filter: campaignFilter(campaign), offset },
      );
      const subjects = Object.keys(state.subjects ?? {});
      found.push(...subjects.flatMap((subject) => parseUnitSubject(subject) ?? []));
      offset += subjects.length;
      if (subjects.length === 0 || offset >= (total ?? 0)) return found;
    }
  }

  /**
   * Removes all units of a campaign, leased ones too, and tells how many they were. After a kill of the server they may be
   * there again (see Blobs), so what decides is the campaign's entry.
   */
  async purge(campaign: string): Promise<number> {
    const answer = await this.#ask<{ purged: number }>(
      'cannot remove the units of a campaign',
      `STREAM.PURGE.${streams.units}`,
      { filter: campaignFilter(campaign) },
    );
    return answer.purged;
  }

  /** Deletes the consumers of a campaign. Units that are still queued stay, so purge first. */
  async close(campaign: string): Promise<void> {
    for (const name of await this.#consumers(campaignConsumers(campaign))) {
      try {
        await this.#bus.api(`CONSUMER.DELETE.${streams.units}.${name}`);
      } catch (cause) {
        if (hasApiCode(cause, apiCode.consumerNotFound)) continue;
        throw this.#bus.explain('cannot close a queue', cause);
      }
    }
  }

  async #consumers(prefix: string): Promise<readonly string[]> {
    const found: string[] = [];
    for (let offset = 0; ;) {
      const { consumers, total } = await this.#ask<{ consumers?: readonly string[] | null; total: number }>(
        'cannot list queues',
        `CONSUMER.NAMES.${streams.units}`,
        { offset },
      );
      found.push(...(consumers ?? []));
      offset += consumers?.length ?? 0;
      if (!consumers?.length || offset >= total) return found.filter((name) => name.startsWith(prefix));
    }
  }

  async #ask<Answer>(what: string, path: string, body: object): Promise<Answer> {
    try {
      return await this.#bus.api<Answer>(path, body);
    } catch (cause) {
      throw this.#bus.explain(what, cause);
    }
  }
}

function missing(queue: QueueName): LetheError {
  return new LetheError('queue-missing', {
    what: 'cannot use a queue',
    where: consumerName(queue),
    why: 'it is not there: never opened, or its campaign is over',
    next: 'look at the entry of the campaign, and open the queue if it is active',
  });
}
