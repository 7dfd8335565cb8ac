import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { recordFilters } from '../../shared/bus/names.ts';
import { describeWithServer } from '../../shared/bus/test-server.spec-support.ts';
import { checkpointId } from '../../shared/checkpoint/checkpoint-id.ts';
import { openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { decodeStored } from '../store/stored-json.ts';
import { verdictSchema } from '../store/verdict.ts';
import { coordinatorsOn, until } from './coordinators.spec-support.ts';
import { SimulatedWorker } from './simulated-worker.spec-support.ts';

const checkpoint = await openCheckpoint(join('checkpoint', 'emoji-sd'));
const id = await checkpointId(checkpoint);
const text = JSON.stringify({
  name: 'hostile',
  numerics: 'simulated',
  sampling: { steps: 20, guidance: 2.5 },
  tau: 1,
  mask: { sites: { ffn2: { skill_ratio: 0.05 } } },
  concepts: [{ name: 'Neon', kind: 'style', things: ['a cat'], phrase: 'in the style of Neon' }],
});

await describeWithServer('a worker with results that nobody leased to it', (server) => {
  const start = coordinatorsOn(server);

  it('has none of them stored, and another worker does the units', async () => {
    const coordinator = await start();
    const honest = new SimulatedWorker('honest', id, checkpoint, () => ({ kind: 'hang' }));
    honest.connect(coordinator.gate);
    const { campaign } = await coordinator.desk.submit(text, 'spec');
    await vi.waitFor(() => {
      expect(honest.leases.length).toBeGreaterThan(0);
    }, 30_000);
    const [lease] = honest.leases;
    honest.leave();
    const thief = new SimulatedWorker('thief', id, checkpoint);
    const stolen = thief.withResultOf(lease!);
    expect(stolen.kept).toBe(1);
    stolen.connect(coordinator.gate, 0);
    await vi.waitFor(() => {
      expect(stolen.kept).toBe(0);
    }, 30_000);
    expect(stolen.collections).toBe(0);
    const other = new SimulatedWorker('other', id, checkpoint);
    other.connect(coordinator.gate);
    const { concepts } = await until(coordinator, campaign);
    expect(concepts).toMatchObject([{ kind: 'mask' }]);
    for await (const { bytes, subject } of coordinator.store.records.list(recordFilters.verdicts))
      expect(decodeStored(verdictSchema, bytes, subject)).toMatchObject({ kind: 'result', worker: 'other' });
  });
});
