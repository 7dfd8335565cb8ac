import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { records } from '../../shared/bus/names.ts';
import { describeWithServer } from '../../shared/bus/test-server.spec-support.ts';
import { checkpointId } from '../../shared/checkpoint/checkpoint-id.ts';
import { openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import type { Lease } from '../../shared/fleet/task.ts';
import type { FleetKey } from '../../shared/manifest/fleet-key.ts';
import { unitHash } from '../../shared/unit/unit.ts';
import type { AskedGroup } from '../api/image-service.ts';
import { encodeStored } from '../store/stored-json.ts';
import type { ImagesVerdict } from '../store/verdict.ts';
import type { RunningCoordinator } from './coordinator.ts';
import { coordinatorsOn, until } from './coordinators.spec-support.ts';
import { type Deed, SimulatedWorker } from './simulated-worker.spec-support.ts';

const checkpoint = await openCheckpoint(join('checkpoint', 'emoji-sd'));
const id = await checkpointId(checkpoint);
const source = { checkpoint: id, directory: join('checkpoint', 'emoji-sd'), variant: undefined, numerics: 'simulated' };

const sweep = JSON.stringify({
  name: 'sealed',
  numerics: 'simulated',
  sampling: { steps: 20, guidance: 2.5 },
  tau: 1,
  mask: { sites: { ffn2: { skill_ratio: 0.05 } } },
  concepts: [{ name: 'Neon', kind: 'style', things: ['a cat'], phrase: 'in the style of Neon' }],
});

let number = 0;
/** So many images that no other spec asks for. */
function imagesOf(count: number, masks: readonly string[] = []): readonly AskedGroup[] {
  number += 1;
  const trajectories = Array.from({ length: count }, (_, i) => ({ prompt: `a cat ${number}`, seed: String(i) }));
  return [{ sampling: { steps: 20, guidance: 2.5 }, masks, trajectories }];
}

await describeWithServer('the images of a coordinator', (server) => {
  const start = coordinatorsOn(server);
  const hire = (
    { gate }: RunningCoordinator,
    name: string,
    deed: (lease: Lease, count: number) => Deed = () => ({ kind: 'finish' }),
    numerics = 'simulated',
  ): SimulatedWorker => {
    const worker = new SimulatedWorker(`${name} ${number}`, id, checkpoint, deed, 2 ** 40, numerics);
    worker.connect(gate);
    return worker;
  };
  const read = async ({ images }: RunningCoordinator, asked: readonly AskedGroup[]): Promise<Uint8Array[]> => {
    const found: Uint8Array[] = [];
    for await (const image of images.read(source, asked)) found.push(image);
    return found;
  };

  it('are made in the class of workers that take work, not of those that drain', async () => {
    const coordinator = await start();
    for (const name of ['a1', 'a2']) hire(coordinator, name, undefined, 'of the day before').drain();
    hire(coordinator, 'b');
    const anywhere = { ...source, numerics: undefined };
    const { jobs, numerics } = await coordinator.images.request(anywhere, 'spec', 2, imagesOf(2));
    expect(numerics).toBe('simulated');
    expect(await until(coordinator, jobs[0] ?? '')).toMatchObject({ failure: undefined });
  });

  it.each([0, 1, 3])('count %i of them for two trajectories as a failure of the worker', async (images) => {
    const coordinator = await start();
    const asked = imagesOf(2);
    const bad = hire(coordinator, 'bad', (_, count) => (count > 1 ? { kind: 'hang' } : { kind: 'draw', images }));
    const { jobs } = await coordinator.images.request(source, 'spec', 2, asked);
    await vi.waitFor(() => {
      expect(bad.leases).toHaveLength(2);
    }, 120_000);
    bad.leave();
    const good = hire(coordinator, 'good');
    expect(await until(coordinator, jobs[0] ?? '')).toMatchObject({ failure: undefined });
    expect(good.leases).toHaveLength(1);
    expect(await read(coordinator, asked)).toHaveLength(2);
  });

  it('are not handed out by a record that has too few of them, and are made again', async () => {
    const coordinator = await start();
    const { images, store } = coordinator;
    const asked = imagesOf(2);
    const worker = hire(coordinator, 'w');
    const [job = ''] = (await images.request(source, 'spec', 2, asked)).jobs;
    await until(coordinator, job);
    const unit = unitHash(worker.leases[0]!.unit);
    const subject = records.verdict(unit, 'image');
    const made = (await store.records.read(subject))!;
    const verdict = JSON.parse(Buffer.from(made.bytes).toString('utf8')) as ImagesVerdict;
    const short = { ...verdict, images: { ...verdict.images, lengths: verdict.images.lengths.slice(1) } };
    await store.records.replace(subject, encodeStored(short), made.sequence);
    await vi.waitFor(async () => {
      await expect(read(coordinator, asked)).rejects.toMatchObject({
        code: 'image-missing',
        why: expect.stringContaining('1 images for 2') as string,
      });
    }, 120_000);
    await vi.waitFor(async () => {
      expect(await images.request(source, 'spec', 2, asked)).toMatchObject({ jobs: [job], stored: 0 });
    }, 120_000);
    await until(coordinator, job);
    expect(await read(coordinator, asked)).toHaveLength(2);
  });

  it('wait for a coordinator that can open their mask, and hold up nothing else', async () => {
    const leaseMs = 60_000;
    const key: FleetKey = { secrets: [{ id: 'ab'.repeat(16), secret: randomBytes(32) }] };
    const keyed = await start('with-key', { leaseMs, fleetKey: key });
    const maker = hire(keyed, 'maker');
    const { campaign } = await keyed.desk.submit(sweep, 'spec');
    const [concept] = (await until(keyed, campaign)).concepts;
    maker.leave();
    const masks = concept?.kind === 'mask' ? [concept.hash] : [];
    expect(masks).toHaveLength(1);

    const keyless = await start('without-key', { leaseMs });
    const worker = hire(keyless, 'w');
    const { jobs } = await keyed.images.request(source, 'a', 1, imagesOf(1, masks));
    const [sealed = ''] = jobs;
    expect(await until(keyless, sealed, ({ waiting }) => waiting !== undefined)).toMatchObject({
      waiting: { code: 'blob-sealed', next: expect.stringContaining('LETHE_FLEET_KEY') as string },
    });
    const [open = ''] = (await keyless.images.request(source, 'b', 1, imagesOf(1))).jobs;
    expect(await until(keyless, open)).toMatchObject({ failure: undefined, waiting: undefined });
    expect(worker.leases.map(({ campaign: each }) => each)).toEqual([open]);
    // It was given back: nobody waits for the lease to end.
    hire(keyed, 'other');
    expect(await until(keyed, sealed)).toMatchObject({ failure: undefined });
  });
});
