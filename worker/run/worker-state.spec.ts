import { describe, expect, it } from 'vitest';
import { initialState, nextState, type WorkerChange, type WorkerState } from './worker-state.ts';

const after = (...changes: readonly WorkerChange[]): WorkerState => changes.reduce(nextState, initialState);
const connected: WorkerChange = { kind: 'connected', coordinator: 'c' };
const work = (tasks: number, kept: number): WorkerChange => ({ kind: 'work', tasks, kept });
const drain: WorkerChange = { kind: 'drain', reason: 'SIGTERM' };

describe('nextState', () => {
  it('goes from connecting to ready to running and back', () => {
    expect(after(connected)).toEqual({ kind: 'ready', coordinator: 'c', kept: 0 });
    expect(after(connected, work(1, 0))).toEqual({ kind: 'running', coordinator: 'c', tasks: 1, kept: 0 });
    expect(after(connected, work(1, 0), work(0, 1))).toEqual({ kind: 'ready', coordinator: 'c', kept: 1 });
  });

  it('keeps its tasks and results while no coordinator hears it', () => {
    const lost = after(connected, work(1, 2), { kind: 'disconnected' });
    expect(lost).toEqual({ kind: 'connecting', tasks: 1, kept: 2 });
    expect(nextState(lost, connected)).toEqual({ kind: 'running', coordinator: 'c', tasks: 1, kept: 2 });
  });

  it('drains until it has neither tasks nor results', () => {
    expect(after(connected, drain)).toEqual({ kind: 'stopped', reason: 'SIGTERM' });
    expect(after(connected, work(1, 0), drain).kind).toBe('draining');
    expect(after(connected, work(1, 0), drain, work(0, 1)).kind).toBe('draining');
    expect(after(connected, work(1, 0), drain, work(0, 1), work(0, 0)).kind).toBe('stopped');
  });

  it('drains on through a lost coordinator, and remembers the first reason', () => {
    const state = after(connected, work(1, 0), drain, { kind: 'disconnected' }, { kind: 'drain', reason: 'again' });
    expect(state).toEqual({ kind: 'draining', reason: 'SIGTERM', coordinator: undefined, tasks: 1, kept: 0 });
  });

  it('stays stopped', () => {
    const stopped = after({ kind: 'stop', reason: 'r' });
    expect([connected, work(1, 1), drain].map((change) => nextState(stopped, change))).toEqual(Array(3).fill(stopped));
  });
});
