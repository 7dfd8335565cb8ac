import { beforeEach, describe, expect, it } from 'vitest';
import type { ReplySubject } from '../../shared/bus/lease.ts';
import { LeaseTable } from './lease-table.ts';
import { PhaseTimes } from './phase-times.ts';

const leaseMs = 30_000;
const deadlines = { loading: 1_000_000, encoding: 5_000, step: 2_000, decoding: 3_000 };
let now = 0;
let table: LeaseTable;
const reply = (text: string) => text as ReplySubject;
const hold = (task: string, worker = 'w') => {
  table.hold({ task, campaign: 'c', worker, reply: reply(task), phase: { kind: 'waiting' }, gib: 1 });
};
const duties = () => table.duties().map(({ kind, lease }) => `${lease.task} ${kind}`);

beforeEach(() => {
  now = 0;
  table = new LeaseTable({ now: () => now }, leaseMs, () => deadlines);
});

describe('LeaseTable', () => {
  it('renews a worker that goes from step to step, however long the whole takes', () => {
    hold('t');
    for (let step = 0; step < 100; step++) {
      now += 1_900;
      table.enter('t', { kind: 'step', step });
      table.renewed('t', now);
      expect(duties()).toEqual(['t renew']);
    }
  });

  it('gives up a worker that stays in a phase beyond its deadline, though it is connected', () => {
    hold('t');
    table.enter('t', { kind: 'step', step: 7 });
    now = 2_000;
    expect(duties()).toEqual(['t renew']);
    now = 2_001;
    expect(duties()).toEqual(['t overdue']);
  });

  it('takes what waits for as good as what runs before it', () => {
    hold('first');
    hold('second');
    table.enter('first', { kind: 'step', step: 0 });
    now = 2_001;
    expect(duties()).toEqual(['first overdue', 'second overdue']);
    table.enter('first', { kind: 'step', step: 1 });
    expect(duties()).toEqual(['first renew', 'second renew']);
    table.drop('first');
    // Nothing runs: the next one is about to begin.
    expect(duties()).toEqual(['second renew']);
  });

  it('keeps a lease while its result is committed, however long the store takes', () => {
    hold('t');
    table.enter('t', { kind: 'committing' });
    now = 20_000;
    expect(duties()).toEqual(['t renew']);
  });

  it('leaves alone what it could not renew for as long as a lease lasts, until it is delivered here again', () => {
    hold('t');
    now = leaseMs;
    expect(duties()).toEqual(['t leave']);
    expect(table.attach('t', reply('again'))).toMatchObject({ task: 't', worker: 'w', reply: 'again' });
    expect(duties()).toEqual(['t renew']);
    expect(table.attach('unknown', reply('x'))).toBeUndefined();
  });

  it('counts a renewal from when it was sent, not from when it was confirmed', () => {
    hold('t');
    table.renewed('t', 1_000);
    now = leaseMs + 999;
    expect(duties()).toEqual(['t renew']);
    now = leaseMs + 1_000;
    expect(duties()).toEqual(['t leave']);
  });
});

describe('PhaseTimes', () => {
  it('gives what nobody has seen a long time, and what was seen a multiple of the longest', () => {
    const times = new PhaseTimes();
    expect(times.deadlines.step).toBe(300_000);
    for (const ms of [4_000, 2_000]) times.took('step', ms);
    expect(times.deadlines.step).toBe(40_000);
    times.took('loading', 1);
    expect(times.deadlines.loading).toBe(30_000);
    times.took('waiting', 1e9);
    expect(times.deadlines).toEqual({ loading: 30_000, encoding: 120_000, step: 40_000, decoding: 300_000 });
  });
});
