import { describe, expect, it } from 'vitest';
import { parseReplySubject } from '../../shared/bus/lease.ts';
import { streams, unitSubject } from '../../shared/bus/names.ts';
import { isOfLease, LeaseTickets } from './lease-tickets.ts';

const unit = 'a'.repeat(64);
const task = unitSubject({ campaign: 'c', numerics: 'n', memory: '1gib', unit, purpose: 'result' });
const reply = parseReplySubject(`$JS.ACK.${streams.units}.consumer.1.2.3.4.5`);
const lease = { task, reply, sites: ['ffn2', 'attn-value'], items: 2, steps: 3 } as const;
const key = new Uint8Array(32).fill(7);
const tickets = new LeaseTickets(key);
const ticket = tickets.issue('w1', lease);

describe('LeaseTickets', () => {
  it('opens a ticket of any coordinator with the key', () => {
    expect(new LeaseTickets(key).open('w1', task, ticket)).toEqual(lease);
  });

  it.each([
    ['another worker', 'w2', task, ticket],
    ['another task', 'w1', `${task}x`, ticket],
    ['another size', 'w1', task, ticket.replace(' 2 3 ', ' 3 3 ')],
    ['a bare reply subject', 'w1', task, reply],
    ['another key', 'w1', task, new LeaseTickets(new Uint8Array(32)).issue('w1', lease)],
    ['nothing', 'w1', task, ''],
  ])('opens none of %s', (_, worker, of, given) => {
    expect(tickets.open(worker, of, given)).toBeUndefined();
  });

  it('covers the unit, outputs and size of a result', () => {
    const result = { unit, sites: lease.sites, items: 2, steps: 3 };
    expect(isOfLease(lease, result)).toBe(true);
    for (const other of [{ unit: 'b'.repeat(64) }, { sites: ['ffn2'] as const }, { items: 1 }, { steps: 4 }])
      expect(isOfLease(lease, { ...result, ...other })).toBe(false);
  });
});
