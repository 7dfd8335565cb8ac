import { expect, it } from 'vitest';
import type { ConnectedWorker } from '../api/worker-gate.ts';
import type { RecordBook } from '../store/record-book.ts';
import { WorkerBook } from './worker-book.ts';

it('counts the units of each campaign by themselves', () => {
  const workers = new WorkerBook({ suspension: () => undefined } as unknown as RecordBook);
  workers.add({ hello: { worker: 'w', capabilities: {} }, credits: 1 } as unknown as ConnectedWorker);
  const timings = { steps: 500 } as Parameters<WorkerBook['finished']>[3];
  for (const campaign of ['first', 'first', 'second'])
    workers.finished('w', campaign, { unetCalls: 2, encoderCalls: 0 } as never, timings);
  const [{ units, unetCallsPerSecond } = { units: new Map(), unetCallsPerSecond: 0 }] = workers.all;
  expect([units.get('first'), units.get('second'), units.get('third')]).toEqual([2, 1, undefined]);
  expect(unetCallsPerSecond).toBe(4);
});
