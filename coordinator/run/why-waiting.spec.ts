import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Capabilities } from '../../shared/fleet/task.ts';
import { unitSubject } from '../../shared/bus/names.ts';
import { queueOf } from '../dispatch/queued-unit.ts';
import type { Attempt } from '../store/attempt.ts';
import { CheckpointShelf } from './checkpoint-shelf.ts';
import { plannable, unpinned } from './plan-entry.ts';
import { type AskedWorker, waitingForWorker } from './why-waiting.ts';

const text = JSON.stringify({
  name: 'waits',
  tau: 1,
  concepts: [{ name: 'Neon', kind: 'style', things: ['a cat'], phrase: 'in the style of Neon' }],
});
const planned = await plannable(text, 'spec', new CheckpointShelf([join('checkpoint', 'emoji-sd')]));
const plan = planned.plan('class');
const nothing = { settled: () => undefined, attempts: () => [] };

interface More extends Partial<Omit<AskedWorker, 'capabilities'>> {
  readonly capabilities?: Partial<Capabilities>;
}

function worker(name: string, more: More = {}): AskedWorker {
  const capabilities = {
    device: 'spec',
    memory: 2 ** 40,
    providers: ['cpu'],
    numerics: 'class',
    graph: plan.graph,
    checkpoints: [plan.checkpoint],
    version: '0',
    units: ['denoise', 'encode'] as const,
  };
  const { capabilities: other, ...rest } = more;
  return {
    worker: name,
    draining: false,
    suspended: '',
    refused: new Map(),
    ...rest,
    capabilities: { ...capabilities, ...other },
  };
}
const why = (workers: readonly AskedWorker[], of = plan, book: Parameters<typeof waitingForWorker>[3] = nothing) =>
  waitingForWorker('c1', 'waits-1', of, book, workers);

describe('waitingForWorker', () => {
  it('waits for nobody while a worker can run something', () => {
    expect(why([worker('w1'), worker('w2', { draining: true })])).toEqual({ waiting: undefined, leftOut: [] });
    expect(
      why([worker('w1', { capabilities: { numerics: 'other' } })], planned.plan(unpinned)).waiting,
    ).toBeUndefined();
  });

  it('names each worker and what speaks against it', () => {
    const { waiting, leftOut } = why([
      worker('w1', { capabilities: { checkpoints: [] } }),
      worker('w2', { suspended: 'it failed 3 units' }),
      worker('w3', { draining: true }),
      worker('w4', { capabilities: { numerics: 'other' } }),
      worker('w5', { capabilities: { memory: 1 } }),
      worker('w6', { capabilities: { graph: '0' } }),
    ]);
    expect(leftOut.map(({ reason }) => reason)).toEqual([
      `it does not hold checkpoint ${plan.checkpoint}`,
      'it is suspended: it failed 3 units',
      'it is draining',
      'it computes in numerics class other, not class',
      expect.stringContaining('it has 1 bytes of memory'),
      expect.stringContaining('it has graph version 0'),
    ]);
    expect(waiting).toMatchObject({ code: 'worker-missing', where: 'waits-1' });
    expect(waiting?.why).toContain('w2: it is suspended');
    expect(waiting?.why).toMatch(/; and 1 more$/);
    expect(why([]).waiting?.why).toBe('no worker is connected to coordinator c1');
  });

  it('counts the memory that a unit has come to need', () => {
    const starved: Attempt = {
      unit: '',
      worker: 'w1',
      kind: 'failed',
      gib: 4,
      failure: { code: 'session-failed', what: '', where: '', why: 'out of memory', next: '' },
    };
    const small = worker('w1', { capabilities: { memory: 2 ** 32 - 1 } });
    expect(why([small]).waiting).toBeUndefined();
    const book = { ...nothing, attempts: () => [starved] };
    expect(why([small], plan, book).leftOut).toMatchObject([{ worker: 'w1' }]);
    expect(why([worker('w2')], plan, book).waiting).toBeUndefined();
  });

  it('names a worker that gave back all that is left, and why it did', () => {
    const tasks = plan.units.map(({ hash, memory }) =>
      unitSubject({ ...queueOf('waits-1', plan.numerics, memory.gib), unit: hash, purpose: 'result' }),
    );
    const giving = (of: readonly string[]) =>
      worker('w1', { refused: new Map(of.map((task) => [task, 'it does not hold it any more'] as const)) });
    expect(tasks.length).toBeGreaterThan(1);
    expect(why([giving(tasks.slice(1))]).waiting).toBeUndefined();
    expect(why([giving(tasks), worker('w2')]).waiting).toBeUndefined();
    const { waiting, leftOut } = why([giving(tasks)]);
    expect(waiting).toMatchObject({ code: 'worker-missing', why: expect.stringContaining('any more') as string });
    expect(leftOut).toMatchObject([{ worker: 'w1' }]);
    const elsewhere = tasks.map((task) => task.replace('waits-1', 'waits-2'));
    expect(why([giving(elsewhere)]).waiting).toBeUndefined();
  });

  it('waits for nobody where no unit could run', () => {
    const failure = { code: 'non-finite', what: '', where: '', why: '', next: '' };
    const settled: (typeof nothing)['settled'] = (() => ({ kind: 'failed', failure })) as never;
    expect(why([], plan, { ...nothing, settled }).waiting).toBeUndefined();
  });
});
