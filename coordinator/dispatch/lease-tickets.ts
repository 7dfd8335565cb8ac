import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { ReplySubject } from '../../shared/bus/lease.ts';
import { parseReplySubject } from '../../shared/bus/lease.ts';
import { parseUnitSubject, records } from '../../shared/bus/names.ts';
import type { Records } from '../../shared/bus/records.ts';
import type { FinishedTask } from '../../shared/fleet/task.ts';
import type { Output } from '../../shared/unit/unit.ts';

/** What a coordinator of this fleet has leased to one worker. */
export interface Leased {
  readonly task: string;
  readonly reply: ReplySubject;
  readonly sites: readonly Output[];
  readonly items: number;
  readonly steps: number;
}

/**
 * Signs leases, and tells those of this fleet from what a worker invents: see docs/decision/014. The ticket travels where
 * the reply subject does, so a worker hands it back without knowing of it.
 */
export class LeaseTickets {
  readonly #key: Uint8Array;

  /** @param key that all coordinators of a fleet share and no worker knows */
  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** With the key that the store has; the first coordinator draws it. @throws LetheError `bus-unavailable` */
  static async of(stored: Pick<Records, 'offer'>): Promise<LeaseTickets> {
    const drawn = randomBytes(32);
    const offered = await stored.offer(records.leaseKey(), drawn);
    return new LeaseTickets(offered.kind === 'won' ? drawn : offered.winner.bytes);
  }

  issue(worker: string, { task, reply, sites, items, steps }: Leased): string {
    const claim = [reply, sites.join(','), items, steps].join(' ');
    return `${claim} ${this.#sign(worker, task, claim).toString('hex')}`;
  }

  /** What the ticket was issued for; undefined where it is none of this worker and task. */
  open(worker: string, task: string, ticket: string): Leased | undefined {
    const at = ticket.lastIndexOf(' ');
    const claim = ticket.slice(0, Math.max(at, 0));
    const given = Buffer.from(ticket.slice(at + 1), 'hex');
    const right = this.#sign(worker, task, claim);
    if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined;
    const [reply = '', sites = '', items, steps] = claim.split(' ');
    return {
      task,
      reply: parseReplySubject(reply),
      sites: sites.split(',') as Output[],
      items: Number(items),
      steps: Number(steps),
    };
  }

  #sign(worker: string, task: string, claim: string): Buffer {
    return createHmac('sha256', this.#key)
      .update(JSON.stringify([worker, task, claim]))
      .digest();
  }
}

/** Whether a result is of the unit, the outputs and the size that were leased. Images are counted where they are read. */
export function isOfLease(
  { task, sites, items, steps }: Leased,
  finished: Pick<FinishedTask, 'unit' | 'sites' | 'items' | 'steps'>,
): boolean {
  const isOfUnit = parseUnitSubject(task)?.unit === finished.unit && sites.join(',') === finished.sites.join(',');
  return isOfUnit && (sites.includes('image') || (items === finished.items && steps === finished.steps));
}
