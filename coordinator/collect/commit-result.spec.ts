import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { records } from '../../shared/bus/names.ts';
import { describeWithServer } from '../../shared/bus/test-server.spec-support.ts';
import { summaryOf } from '../../shared/fleet/blob.ts';
import type { FinishedTask } from '../../shared/fleet/task.ts';
import { openStore, type Store } from '../store/store.ts';
import { decodeStored, encodeStored } from '../store/stored-json.ts';
import { type Verdict, verdictSchema } from '../store/verdict.ts';
import { commitResult } from './commit-result.ts';
import { readStates } from './read-states.ts';

/** A result of two sites with one neuron each, over two trajectories, and the states after it. */
function result(numbers: readonly number[], unit = randomBytes(32).toString('hex')) {
  const blobs = [Buffer.from(Float32Array.from(numbers).buffer), Buffer.from('first'), Buffer.from('second one')];
  const finished: FinishedTask = {
    task: 't',
    unit,
    sites: ['ffn2', 'ffn1'],
    replySubject: '',
    layers: [
      { site: 'ffn2', name: 'a', neurons: 1 },
      { site: 'ffn1', name: 'b', neurons: 1 },
    ],
    steps: 1,
    items: 2,
    blobs: blobs.map(summaryOf),
    timings: { loading: 0, encoding: 0, steps: 0, decoding: 0 },
    calls: { unetCalls: 2, unetRuns: 1, prompts: 0 },
    timesteps: [981],
  };
  return { finished, blobs };
}

await describeWithServer('commitResult', (server) => {
  const open = async (): Promise<Store> => openStore(await server.connect(), 1, 30_000);
  const verdict = async (store: Store, unit: string, site: 'ffn2' | 'ffn1'): Promise<Verdict> => {
    const subject = records.verdict(unit, site);
    return decodeStored(verdictSchema, (await store.records.read(subject))?.bytes ?? new Uint8Array(), subject);
  };
  const blobsOf = async (store: Store, unit: string): Promise<readonly string[]> => {
    const names: string[] = [];
    for await (const { name } of store.blobs.list()) if (name.includes(unit)) names.push(name);
    return names.sort();
  };

  it('counts one of two that commit at once, and keeps the blobs of no other', async () => {
    const [one, two] = await Promise.all([open(), open()]);
    const { finished, blobs } = result([1, 2, 3, 4]);
    const { unit } = finished;
    const won = await Promise.all([
      commitResult(one, 'w1', finished, blobs, 'attempt-1', 2),
      commitResult(two, 'w2', finished, blobs, 'attempt-2', 2),
    ]);
    expect(won.flat().sort()).toEqual(['ffn1', 'ffn2']);
    const named = (await Promise.all((['ffn2', 'ffn1'] as const).map((site) => verdict(one, unit, site)))).flatMap(
      (each) => (each.kind === 'result' ? [each.partial.name, each.states?.blob.name ?? ''] : []),
    );
    expect(await blobsOf(one, unit)).toEqual([...new Set(named)].sort());
  });

  it('keeps what a site has, and gives one blob to the others', async () => {
    const store = await open();
    const { finished, blobs } = result([1, 2, 3, 4]);
    const { unit } = finished;
    expect(await commitResult(store, 'w1', { ...finished, sites: ['ffn2'] }, blobs, 'a', 2)).toEqual(['ffn2']);
    expect(await commitResult(store, 'w2', finished, blobs, 'b', 2)).toEqual(['ffn1']);
    expect(await verdict(store, unit, 'ffn2')).toMatchObject({ worker: 'w1', partial: { name: `partial/${unit}/a` } });
    expect(await verdict(store, unit, 'ffn1')).toMatchObject({ worker: 'w2', partial: { name: `partial/${unit}/b` } });
    const states = await readStates(store.blobs, (await verdict(store, unit, 'ffn1')) as never);
    expect(states.map((state) => Buffer.from(state).toString())).toEqual(['first', 'second one']);
    await store.blobs.delete(`states/${unit}/b`);
    expect(await readStates(store.blobs, (await verdict(store, unit, 'ffn1')) as never)).toEqual([]);
  });

  it('puts the first result that comes in the place of one that is to be repaired', async () => {
    const store = await open();
    const { finished, blobs } = result([1, 2, 3, 4]);
    const { unit } = finished;
    await store.records.offer(
      records.verdict(unit, 'ffn2'),
      encodeStored({ kind: 'repair', unit, site: 'ffn2', damaged: 'x' }),
    );
    expect(await commitResult(store, 'w1', finished, blobs, 'a', 2)).toEqual(['ffn2', 'ffn1']);
    expect(await commitResult(store, 'w2', finished, blobs, 'b', 2)).toEqual([]);
    expect(await verdict(store, unit, 'ffn2')).toMatchObject({ kind: 'result', worker: 'w1' });
  });

  it.each([NaN, Infinity, -1])('refuses %f with the name of the worker, and stores nothing', async (number) => {
    const store = await open();
    const { finished, blobs } = result([1, number, 3, 4]);
    const committing = commitResult(store, 'w7', finished, blobs, 'a', 2);
    await expect(committing).rejects.toMatchObject({
      code: 'partial-invalid',
      what: expect.stringContaining('w7') as string,
    });
    expect(await blobsOf(store, finished.unit)).toEqual([]);
  });

  it.each([
    ['none', 0, undefined],
    ['too few', 1, 2],
    ['too many', 3, 2],
  ])('refuses %s of the images of a unit with the name of the worker, and stores nothing', async (_, count, items) => {
    const store = await open();
    const image = Buffer.alloc(33);
    Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex').copy(image);
    const { finished } = result([]);
    const images: FinishedTask = { ...finished, sites: ['image'], layers: [], items: count, timesteps: [] };
    const blobs = Array.from({ length: count }, () => image);
    await expect(commitResult(store, 'w7', images, blobs, 'a', items)).rejects.toMatchObject({
      code: 'image-invalid',
      what: expect.stringContaining('w7') as string,
    });
    expect(await blobsOf(store, finished.unit)).toEqual([]);
    expect(await store.records.read(records.verdict(finished.unit, 'image'))).toBeUndefined();
  });
});
