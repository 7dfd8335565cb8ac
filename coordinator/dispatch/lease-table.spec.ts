import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ReplySubject } from '../../shared/bus/lease.ts';
import { LeaseTable } from './lease-table.ts';
import type { Dispatch } from './dispatch.ts';
import { keepLeases } from './keep-leases.ts';
import { PhaseTimes } from './phase-times.ts';

const leaseMs = 30_000;
const deadlines = { loading: 1_000_000, encoding: 5_000, step: 2_000, decoding: 3_000 };
let now = 0;
let table: LeaseTable;
const reply = (text: string) => text as ReplySubject;
const hold = (task: string, worker = 'w', workload = 'small') => {
  table.hold({ task, campaign: 'c', worker, reply: reply(task), phase: { kind: 'waiting' }, gib: 1, workload });
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

describe('keepLeases', () => {
  it('gives a slow device longer after a lease that it lost to its deadline, and what is of another model its own time', async () => {
    const clock = { now: () => now };
    const times = new PhaseTimes();
    table = new LeaseTable(clock, 1e9, (workload) => times.deadlines(workload));
    times.took('small', 'step', 1);
    const cancelled: string[] = [];
    const dispatch = {
      leases: table,
      times,
      workers: { get: () => ({ cancel: (task: string) => cancelled.push(task) }) },
      store: { queue: { renew: () => Promise.resolve('done') } },
      log: pino({ level: 'silent' }),
    } as unknown as Dispatch;
    const after = async (ms: number): Promise<readonly string[]> => {
      hold('t');
      hold('large', 'v', 'large');
      table.enter('t', { kind: 'step', step: 0 });
      table.enter('large', { kind: 'step', step: 0 });
      now += ms;
      await keepLeases(dispatch, clock, () => []);
      return cancelled.splice(0);
    };
    expect(await after(15_000)).toEqual(['t']);
    expect(await after(15_000)).toEqual([]);
    expect(await after(30_001)).toEqual(['t']);
    expect(await after(60_000)).toEqual([]);
  });
});
