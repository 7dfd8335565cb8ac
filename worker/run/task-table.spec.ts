import { describe, expect, it } from 'vitest';
import { summaryOf } from '../../shared/fleet/blob.ts';
import type { FinishedTask, Lease } from '../../shared/fleet/task.ts';
import type { RunningEntry } from './task-entry.ts';
import { TaskTable } from './task-table.ts';

const leaseOf = (task: string, replySubject = `${task}.1`): Lease => ({
  task,
  campaign: 'spec',
  unit: {
    kind: 'denoise',
    checkpoint: 'sha256:1',
    numerics: 'cpu-1',
    graph: '1',
    sampling: { scheduler: 'pndm', steps: 50, guidance: 7.5, height: 16, width: 16 },
    trajectories: [{ prompt: 'a cat', seed: '0' }],
    window: { from: 0, to: 10 },
  },
  sites: ['ffn2'],
  replySubject,
  deadlines: { loading: 1, encoding: 1, step: 1, decoding: 1 },
  memory: 0,
  keepStates: false,
});

/** Takes a lease and runs it. */
function begin(table: TaskTable, task: string): { readonly entry: RunningEntry; readonly stop: AbortController } {
  const stop = new AbortController();
  table.take(leaseOf(task), []);
  table.run(leaseOf(task), stop);
  return { entry: table.runningAs(task, stop)!, stop };
}

const resultOf = (task: string, bytes: number) => {
  const blobs = [new Uint8Array(bytes)];
  const told = { task, unit: 'u', sites: ['ffn2'], replySubject: `${task}.1`, blobs: blobs.map(summaryOf) } as const;
  return { finished: told as unknown as FinishedTask, blobs };
};

describe('the table of tasks', () => {
  it('grants what is free, once, and again what was handed out', () => {
    const table = new TaskTable(2, 100);
    expect([table.grant(), table.grant()]).toEqual([2, 0]);
    table.spendCredit();
    table.take(leaseOf('a'), []);
    expect(table.grant()).toBe(0);
    table.drop('a');
    expect(table.grant()).toBe(1);
    table.disconnect();
    expect(table.grant()).toBe(2);
  });

  it('grants nothing while too many bytes of results are kept', () => {
    const table = new TaskTable(2, 100);
    table.finish(begin(table, 'a').entry, resultOf('a', 100));
    expect(table.counts).toEqual({ tasks: 0, kept: 1 });
    expect(table.grant()).toBe(2);
    table.disconnect();
    table.finish(begin(table, 'b').entry, resultOf('b', 1));
    expect(table.grant()).toBe(0);
    table.drop('a');
    expect(table.grant()).toBe(2);
  });

  it('runs one task at a time, in the order of the leases, when its states are there whole', () => {
    const table = new TaskTable(3, 100);
    const state = Uint8Array.of(1, 2, 3);
    table.take(leaseOf('a'), [summaryOf(state)]);
    table.take(leaseOf('b'), []);
    expect(table.next?.lease.task).toBe('b');
    table.receive('a', { blob: 0, data: state });
    expect(table.next).toMatchObject({ lease: { task: 'a' }, states: [state] });
    begin(table, 'a');
    expect(table.next).toBeUndefined();
    expect(table.told.running.map(({ task }) => task)).toEqual(['a', 'b']);
  });

  it('forgets with the coordinator what had not arrived whole, and nothing else', () => {
    const table = new TaskTable(3, 100);
    table.take(leaseOf('a'), [summaryOf(Uint8Array.of(1))]);
    table.take(leaseOf('b'), []);
    table.disconnect();
    expect(table.entries.map(([task]) => task)).toEqual(['b']);
    table.receive('a', { blob: 0, data: Uint8Array.of(1) });
    expect(table.get('a')).toBeUndefined();
  });

  it('tells a result under the subject of the last lease of its task', () => {
    const table = new TaskTable(1, 100);
    const { stop } = begin(table, 'a');
    expect(table.renew('a', 'a.2')?.kind).toBe('running');
    const finished = table.finish(table.runningAs('a', stop)!, resultOf('a', 1));
    expect(finished.replySubject).toBe('a.2');
    table.renew('a', 'a.3');
    expect(table.told.finished.map(({ replySubject }) => replySubject)).toEqual(['a.3']);
    expect(table.renew('b', 'b.1')).toBeUndefined();
  });

  it('knows a run that was given up from the one that took its place', () => {
    const table = new TaskTable(1, 100);
    const { stop } = begin(table, 'a');
    table.drop('a');
    const second = begin(table, 'a');
    expect(table.runningAs('a', stop)).toBeUndefined();
    expect(table.runningAs('a', second.stop)).toBe(second.entry);
  });

  it('runs what is leased again while its run stops, after that run has ended', () => {
    const table = new TaskTable(2, 100);
    const first = begin(table, 'a');
    table.leaveToStop('a');
    expect(table.renew('a', 'a.2')?.kind).toBe('running');
    first.stop.abort('its campaign is over');
    expect(table.told.running).toEqual([]);
    table.leaveToStop('a');
    expect(table.renew('a', 'a.3')).toBeUndefined();
    table.take(leaseOf('a', 'a.3'), []);
    expect(table.runningAs('a', first.stop)).toBeUndefined();
    expect(table.next).toBeUndefined();
    table.ended(first.stop);
    expect(table.next).toMatchObject({ lease: { task: 'a', replySubject: 'a.3' } });
    expect(table.told.running).toMatchObject([{ task: 'a', replySubject: 'a.3' }]);
  });
});
