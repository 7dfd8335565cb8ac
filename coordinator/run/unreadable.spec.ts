import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type RecordSubject, records } from '../../shared/bus/names.ts';
import { bytes, describeWithServer } from '../../shared/bus/test-server.spec-support.ts';
import { checkpointId } from '../../shared/checkpoint/checkpoint-id.ts';
import { openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { sumJobs } from '../collect/sum-job.ts';
import { queueOf } from '../dispatch/queued-unit.ts';
import type { Plan } from '../plan/plan.ts';
import { campaignId } from '../store/campaign-entry.ts';
import { encodeStored } from '../store/stored-json.ts';
import { CheckpointShelf } from './checkpoint-shelf.ts';
import type { RunningCoordinator } from './coordinator.ts';
import { coordinatorsOn, until } from './coordinators.spec-support.ts';
import { plannable } from './plan-entry.ts';
import { SimulatedWorker } from './simulated-worker.spec-support.ts';

const checkpoint = await openCheckpoint(join('checkpoint', 'emoji-sd'));
const id = await checkpointId(checkpoint);
const damaged = bytes('{"kind":"of a later release"}');

let number = 0;
/** A campaign with prompts of its own, its id, and its plan. */
async function campaign() {
  number += 1;
  const name = `unreadable-${number}`;
  const text = JSON.stringify({
    name,
    numerics: 'simulated',
    sampling: { steps: 20, guidance: 2.5 },
    tau: 1,
    mask: { sites: { ffn2: { skill_ratio: 0.05 } } },
    concepts: ['Neon', 'Poster'].map((style) => ({
      name: style,
      kind: 'style',
      things: [`a cat ${number}`, `a dog ${number}`],
      phrase: `in the style of ${style}`,
    })),
  });
  const plan = (await plannable(text, 'spec', new CheckpointShelf([]))).plan('simulated');
  return { text, id: campaignId(name, text), plan };
}

/** The unit of the target of Poster. */
function posterOf({ units }: Plan): Plan['units'][number] {
  const found = units.find(({ unit }) => JSON.stringify(unit).includes('Poster'));
  if (found === undefined) throw new Error('there is one');
  return found;
}

await describeWithServer('what a coordinator cannot read', (server) => {
  const start = coordinatorsOn(server);

  const hire = ({ gate }: RunningCoordinator, name = `w${number}`): SimulatedWorker => {
    const worker = new SimulatedWorker(name, id, checkpoint);
    worker.connect(gate);
    return worker;
  };
  const masks = [
    { kind: 'mask', concept: 'Neon' },
    { kind: 'mask', concept: 'Poster' },
  ];
  const failedAt = (where: string) => [
    { kind: 'mask', concept: 'Neon' },
    {
      kind: 'failed',
      concept: 'Poster',
      failure: {
        code: 'record-invalid',
        what: 'cannot read what is stored',
        where: expect.stringContaining(where) as string,
        next: expect.stringContaining('run the same command again') as string,
      },
    },
  ];
  const standing = async ({ store }: RunningCoordinator, subject: RecordSubject) => {
    const record = await store.records.read(subject);
    return { bytes: record && new Uint8Array(record.bytes), sequence: record?.sequence ?? 0 };
  };

  it.each([
    ['that is damaged', damaged],
    ['that is no JSON', bytes('{')],
  ])('a verdict %s fails the concept that needs it, at every coordinator, until it is removed', async (_, found) => {
    const coordinator = await start();
    const { text, id: own, plan } = await campaign();
    const { hash } = posterOf(plan);
    const subject = records.verdict(hash, 'ffn2');
    await coordinator.store.records.offer(subject, found);
    const worker = hire(coordinator);
    await coordinator.desk.submit(text, 'spec');
    expect(await until(coordinator, own)).toMatchObject({
      concepts: failedAt(subject),
      failure: { code: 'campaign-failed' },
    });
    expect(worker.leases).toHaveLength(plan.units.length - 1);

    // One that starts now finds the same; other campaigns go on.
    const next = await start('c2');
    await next.desk.submit(text, 'spec');
    expect(await until(next, own)).toMatchObject({ concepts: failedAt(subject) });
    const other = await campaign();
    hire(next);
    await next.desk.submit(other.text, 'spec');
    expect(await until(next, other.id)).toMatchObject({ concepts: masks, failure: undefined });

    const stands = await standing(next, subject);
    expect(stands.bytes).toEqual(found);
    await next.store.records.delete(stands.sequence);
    await next.desk.submit(text, 'spec');
    expect(await until(next, own)).toMatchObject({ concepts: masks, failure: undefined });
  });

  it('a verdict fails the images of its unit until it is removed and they are asked for again', async () => {
    const coordinator = await start();
    const { store, images } = coordinator;
    number += 1;
    const source = {
      checkpoint: id,
      directory: join('checkpoint', 'emoji-sd'),
      variant: undefined,
      numerics: 'simulated',
    };
    const trajectories = [{ prompt: `a cat ${number}`, seed: '0' }];
    const asked = [{ sampling: { steps: 20, guidance: 2.5 }, masks: [], trajectories }];
    const request = async () => (await images.request(source, 'spec', 1, asked)).jobs[0] ?? '';
    const job = await request();
    await expect.poll(() => store.queue.queued(job), { timeout: 120_000 }).toHaveLength(1);
    const [queued] = await store.queue.queued(job);
    const subject = records.verdict(queued?.unit ?? '', 'image');
    await store.records.offer(subject, damaged);
    expect(await until(coordinator, job)).toMatchObject({ failure: { code: 'campaign-failed' } });

    await store.records.delete((await standing(coordinator, subject)).sequence);
    expect(await request()).toBe(job);
    hire(coordinator);
    expect(await until(coordinator, job)).toMatchObject({ failure: undefined });
  });

  it('a verdict of another unit than its subject names is none of either', async () => {
    const coordinator = await start();
    const { text, id: own, plan } = await campaign();
    const { hash } = posterOf(plan);
    const subject = records.verdict(hash, 'ffn2');
    const other = plan.units.find((unit) => unit.hash !== hash)?.hash;
    await coordinator.store.records.offer(
      subject,
      encodeStored({ kind: 'repair', unit: other, site: 'ffn2', damaged: 'x' }),
    );
    hire(coordinator);
    await coordinator.desk.submit(text, 'spec');
    expect(await until(coordinator, own)).toMatchObject({ concepts: failedAt(subject) });
  });

  it('a verdict that another release stores while a worker has the unit is not put down to the worker', async () => {
    const coordinator = await start();
    const { text, id: own, plan } = await campaign();
    const { hash } = posterOf(plan);
    const subject = records.verdict(hash, 'ffn2');
    const slow = new SimulatedWorker(`w${number}`, id, checkpoint, ({ unit }) => {
      if (JSON.stringify(unit).includes('Poster')) void coordinator.store.records.offer(subject, damaged);
      return { kind: 'finish' };
    });
    slow.connect(coordinator.gate);
    await coordinator.desk.submit(text, 'spec');
    const { concepts } = await until(coordinator, own);
    // Whichever was first counts.
    const stands = await standing(coordinator, subject);
    const isDamaged = Buffer.compare(stands.bytes ?? damaged, damaged) === 0;
    expect(concepts).toMatchObject(isDamaged ? failedAt(subject) : masks);
    expect(await coordinator.desk.workers()).toMatchObject([{ suspended: '' }]);
  });

  it('a sum fails the concepts that are scored by it', async () => {
    const coordinator = await start();
    const { text, id: own, plan } = await campaign();
    const target = plan.concepts.find(({ name }) => name === 'Poster')?.target ?? '';
    const job = sumJobs(plan).find(({ cohort }) => cohort === target);
    const subject = records.sum(target, job?.key ?? '');
    await coordinator.store.records.offer(subject, damaged);
    hire(coordinator);
    await coordinator.desk.submit(text, 'spec');
    expect(await until(coordinator, own)).toMatchObject({ concepts: failedAt(subject) });
    expect((await standing(coordinator, subject)).bytes).toEqual(damaged);
  });

  it('a suspension is one all the same: the campaign says that it waits, and for what', async () => {
    const coordinator = await start();
    const { text, id: own } = await campaign();
    const worker = hire(coordinator);
    const subject = records.suspension(worker.hello.worker);
    await coordinator.store.records.offer(subject, damaged);
    await expect
      .poll(async () => (await coordinator.desk.workers())[0]?.suspended, { timeout: 120_000 })
      .toContain(subject);
    await coordinator.desk.submit(text, 'spec');
    const { waiting, leftOut } = await until(coordinator, own, (state) => state.waiting !== undefined);
    expect(waiting).toMatchObject({ code: 'worker-missing', why: expect.stringContaining(subject) as string });
    expect(leftOut).toMatchObject([{ worker: worker.hello.worker }]);
    expect(worker.leases).toEqual([]);
    hire(coordinator, `other ${number}`);
    expect(await until(coordinator, own)).toMatchObject({ concepts: masks, waiting: undefined });
  });

  it('an attempt counts as none', async () => {
    const coordinator = await start();
    const { text, id: own, plan } = await campaign();
    await coordinator.store.records.offer(records.attempt(posterOf(plan).hash, 'one'), damaged);
    hire(coordinator);
    await coordinator.desk.submit(text, 'spec');
    expect(await until(coordinator, own)).toMatchObject({ concepts: masks });
  });

  it('a queued unit is queued anew from the plan', async () => {
    const coordinator = await start();
    const { text, id: own, plan } = await campaign();
    const { hash, memory } = posterOf(plan);
    const queue = queueOf(own, 'simulated', memory.gib);
    await coordinator.store.queue.publish({ ...queue, unit: hash, purpose: 'result' }, damaged);
    const worker = hire(coordinator);
    await coordinator.desk.submit(text, 'spec');
    expect(await until(coordinator, own)).toMatchObject({ concepts: masks });
    expect(worker.leases).toHaveLength(plan.units.length);
  });

  it('the entry of a campaign stops that campaign with an error, and no other', async () => {
    const coordinator = await start();
    const { store, desk } = coordinator;
    const { text, id: own } = await campaign();
    await store.campaigns.create(own, damaged);
    const refusal = { code: 'record-invalid', where: expect.stringContaining(own) as string };
    await expect(desk.submit(text, 'spec')).rejects.toMatchObject(refusal);
    await expect(until(coordinator, own)).rejects.toMatchObject(refusal);
    expect((await desk.status()).filter(({ campaign: each }) => each === own)).toMatchObject([
      { ended: true, failure: refusal },
    ]);
    expect((await store.campaigns.read(own))?.bytes).toEqual(damaged);

    // Removed as `nats kv del` does it: submitting it again makes another.
    const bus = await server.connect();
    await bus.store(`$KV.lethe_v1_campaigns.${own}`, new Uint8Array(), undefined, { 'KV-Operation': 'DEL' });
    await desk.submit(text, 'spec');
    await until(coordinator, own, ({ ended }) => !ended);

    // One that becomes so while it runs: nobody who follows it waits for ever.
    const other = await campaign();
    await desk.submit(other.text, 'spec');
    await until(coordinator, other.id, ({ waiting }) => waiting?.code === 'worker-missing');
    const following = until(coordinator, other.id);
    const before = await store.campaigns.read(other.id);
    await store.campaigns.update(other.id, damaged, before?.sequence ?? 0);
    await expect(following).rejects.toMatchObject({ code: 'record-invalid' });
    const damagedNow = await store.campaigns.read(other.id);
    await store.campaigns.update(other.id, before?.bytes ?? damaged, damagedNow?.sequence ?? 0);
    hire(coordinator);
    expect(await until(coordinator, other.id)).toMatchObject({ concepts: masks });
  });
});
