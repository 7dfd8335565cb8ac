import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FleetClient } from '../../cli/fleet/fleet-client.ts';
import { type ImageAsk, type ImageProgress, requestImages } from '../../cli/fleet/request-images.ts';
import { maskBlob } from '../../coordinator/publish/publish-mask.ts';
import { Blobs } from '../../shared/bus/blobs.ts';
import { checkpointId } from '../../shared/checkpoint/checkpoint-id.ts';
import { type Checkpoint, openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { decodeMask, encodeMask, maskName } from '../../shared/mask/mask-file.ts';
import { type Mask, uniteMasks } from '../../shared/mask/mask.ts';
import { generateImages } from '../../worker/diffusion/generate.ts';
import { encodePng } from '../../worker/diffusion/png.ts';
import { StableDiffusion } from '../../worker/diffusion/stable-diffusion.ts';
import { pruningOf, unpruned } from '../../worker/prune/pruning.ts';
import { SessionCache } from '../../worker/session/session-cache.ts';
import { SessionThread } from '../../worker/session/session-thread.ts';
import { campaignText, startFleet } from '../exact/sweep.spec-support.ts';
import type { Coordinator, Fleet } from '../fleet-processes/fleet.ts';
import type { LogLine, LoggedProcess } from '../fleet-processes/logged-process.ts';
import { maskBytes, verdicts } from '../fleet-processes/stored.ts';

const steps = 4;
const calls = steps + 1;
const sampling = { scheduler: 'pndm', steps, guidance: 2.5, height: undefined, width: undefined };

let fleet: Fleet;
let coordinator: Coordinator;
let worker: LoggedProcess;
let client: FleetClient;
let checkpoint: Checkpoint;
let id: string;
/** Hashes. */
let neon: string;
let poster: string;
let masks: ReadonlyMap<string, Mask>;
const thread = new SessionThread();

beforeAll(async () => {
  checkpoint = await openCheckpoint('checkpoint/emoji-sd');
  id = await checkpointId(checkpoint);
  fleet = await startFleet();
  coordinator = await fleet.coordinator('c1');
  worker = fleet.worker('w1', coordinator);
  const { campaign } = await coordinator.client.submit(campaignText());
  const made = await coordinator.client.masks(campaign);
  [neon, poster] = [made['Neon'] ?? '', made['Poster'] ?? ''];
  const bus = await fleet.bus();
  masks = new Map(
    await Promise.all([neon, poster].map(async (hash) => [hash, decodeMask(await maskBytes(bus, hash))] as const)),
  );
  client = new FleetClient(coordinator.address);
});
afterAll(async () => {
  client.close();
  await fleet.stop();
  await thread.close();
});

const asksOf = (prompts: readonly string[], ...of: readonly string[]): readonly ImageAsk[] =>
  prompts.map((prompt, i) => ({ prompt, seed: String(i), masks: of, sampling }));

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

interface Made {
  /** Hashes of the files: what differs is told in a line. */
  readonly images: readonly string[];
  readonly first: ImageProgress | undefined;
}

async function request(asks: readonly ImageAsk[], batch = 2, signal = new AbortController().signal): Promise<Made> {
  const images: string[] = [];
  const told: ImageProgress[] = [];
  const watcher = { onProgress: (each: ImageProgress) => told.push(each), onNotice: () => undefined, signal };
  const source = { checkpoint: id, directory: undefined, variant: undefined, numerics: undefined };
  for await (const image of requestImages(client, source, 'spec', batch, asks, watcher)) images.push(hashOf(image));
  return { images, first: told[0] };
}

/** The same images by one process, one by one. */
async function drawnHere(asks: readonly ImageAsk[]): Promise<readonly string[]> {
  const sessions = new SessionCache(thread, { provider: 'cpu', threads: 1 }, 3);
  const images: string[] = [];
  for (const { prompt, seed, masks: hashes } of asks) {
    const known = hashes.flatMap((hash) => masks.get(hash) ?? []);
    const pruning = known.length === 0 ? unpruned : pruningOf(uniteMasks(known), checkpoint, id);
    const model = await StableDiffusion.open(checkpoint, sessions, pruning);
    const settings = { scheduler: 'pndm', steps, guidance: 2.5, height: 16, width: 16 } as const;
    const one = [{ prompt, seed: BigInt(seed) }];
    for (const { image } of await generateImages(model, settings, one, 1, () => undefined))
      images.push(hashOf(encodePng(image)));
  }
  return images;
}

const isImageLease =
  (name: string) =>
  (line: LogLine): boolean =>
    line.msg === 'lease' && line['worker'] === name && String(line['campaign']).startsWith('spec-');

describe('images asked of a fleet', () => {
  it('are the bytes that one process gives, in the order of the asks', async () => {
    const asks = [
      ...asksOf(['a cat', 'a dog', 'an owl']),
      ...asksOf(['a cat', 'a dog'], neon),
      ...asksOf(['a cat'], poster, neon),
    ];
    const { images, first } = await request(asks);
    expect(first).toMatchObject({ images: 6, stored: 0, unetCalls: 6 * calls });
    expect(images).toEqual(await drawnHere(asks));
    expect(new Set(images).size).toBe(6);
  });

  it('cost nothing when they are asked for again, in another order and company', async () => {
    const asks = [...asksOf(['a cat', 'a dog']), ...asksOf(['a cat'], neon, poster), ...asksOf(['a cat'])].toReversed();
    const { images, first } = await request(asks, 1);
    expect(first).toMatchObject({ images: 3, stored: 3, unetCalls: 0 });
    expect(images).toEqual(await drawnHere(asks));
    const more = await request([...asks, { ...asks[0], prompt: 'a fox' } as ImageAsk]);
    expect(more.first).toMatchObject({ images: 4, stored: 3, unetCalls: calls });
  });

  it('are refused for masks that are missing, damaged or of another checkpoint, and nothing is queued', async () => {
    const before = (await client.status()).length;
    await expect(request(asksOf(['a cat'], 'f'.repeat(64)))).rejects.toMatchObject({
      code: 'mask-missing',
      isInput: true,
    });
    const blobs = new Blobs(await fleet.bus());
    const mask = masks.get(neon);
    if (mask === undefined) throw new Error('it was made');
    const foreign = encodeMask({ ...mask, checkpoint: `sha256:${'0'.repeat(64)}` });
    await blobs.put(maskBlob(maskName(foreign)), foreign);
    await expect(request(asksOf(['a cat'], maskName(foreign)))).rejects.toMatchObject({ code: 'mask-mismatch' });
    const other = encodeMask({ ...mask, parts: [] });
    await blobs.put(maskBlob(maskName(other)), foreign);
    await expect(request(asksOf(['a cat'], maskName(other)))).rejects.toMatchObject({ code: 'mask-invalid' });
    expect(await client.status()).toHaveLength(before);
  });

  it('are refused for a checkpoint that no worker holds, and for sizes it cannot have', async () => {
    const { signal } = new AbortController();
    const watcher = { onProgress: () => undefined, onNotice: () => undefined, signal };
    const source = {
      checkpoint: `sha256:${'1'.repeat(64)}`,
      directory: undefined,
      variant: undefined,
      numerics: undefined,
    };
    const images = requestImages(client, source, 'spec', 1, asksOf(['a cat']), watcher);
    await expect(images.next()).rejects.toMatchObject({ code: 'worker-missing' });
    const odd = asksOf(['a cat']).map((ask) => ({ ...ask, sampling: { ...sampling, height: 65, width: 64 } }));
    await expect(request(odd)).rejects.toMatchObject({ code: 'campaign-invalid' });
  });

  it('are made again when their blob is damaged or gone', async () => {
    const asks = asksOf(['a lion', 'a frog']);
    const { images } = await request(asks);
    const bus = await fleet.bus();
    const stored = (await verdicts(bus)).flatMap((verdict) => (verdict.kind === 'images' ? [verdict] : []));
    const last = stored.at(-1);
    if (last === undefined) throw new Error('there are images');
    await new Blobs(bus).put(last.images.blob.name, Buffer.from('something else'));
    expect((await request(asks)).images).toEqual(images);
    await new Blobs(bus).delete(
      (await verdicts(bus)).flatMap((each) =>
        each.kind === 'images' && each.unit === last.unit ? [each.images.blob.name] : [],
      )[0] ?? '',
    );
    expect((await request(asks)).images).toEqual(images);
  });

  it('are the same where a worker is killed in the middle of a unit and another one takes over', async () => {
    const asks = asksOf(
      Array.from({ length: 6 }, (_, i) => `a picture of a bus ${i}`),
      neon,
    );
    const before = coordinator.process.lines.filter(isImageLease('w1')).length;
    const making = request(asks, 3);
    await coordinator.process.logged(isImageLease('w1'), before);
    await worker.kill();
    worker = fleet.worker('w2', coordinator);
    expect((await making).images).toEqual(await drawnHere(asks));
  });

  it('wait for a worker, through the death of their only coordinator', async () => {
    const asks = asksOf(['a tractor', 'a teapot', 'a crown', 'a drum']);
    const before = coordinator.process.lines.filter(isImageLease('w2')).length;
    const making = request(asks, 1);
    await coordinator.process.logged(isImageLease('w2'), before);
    await coordinator.process.kill();
    coordinator = await fleet.coordinator('c2', coordinator.address);
    expect((await making).images).toEqual(await drawnHere(asks));
  });

  it('are no longer waited for at the signal, and go on being made', async () => {
    const asks = asksOf(Array.from({ length: 6 }, (_, i) => `a violin ${i}`));
    const stop = new AbortController();
    const making = request(asks, 1, stop.signal);
    stop.abort();
    await expect(making).rejects.toMatchObject({ code: 'unit-stopped' });
    expect((await request(asks, 1)).images).toHaveLength(6);
  });

  it('fail, and say why, where their mask is gone when a worker is there at last', async () => {
    const [{ numerics } = { numerics: '' }] = await client.workers();
    const mask = masks.get(neon);
    if (mask === undefined) throw new Error('it was made');
    const copy = encodeMask({ ...mask, parts: [] });
    const hash = maskName(copy);
    const blobs = new Blobs(await fleet.bus());
    await blobs.put(maskBlob(hash), copy);
    await worker.kill();
    const source = { checkpoint: id, directory: undefined, variant: undefined, numerics };
    const groups = [{ sampling, masks: [hash], trajectories: [{ prompt: 'a castle', seed: '0' }] }];
    const { jobs } = await client.makeImages({ source, title: 'spec', batch: 1 }, groups);
    // What it has read it keeps: another one has to read the mask.
    await coordinator.process.kill();
    await blobs.delete(maskBlob(hash));
    coordinator = await fleet.coordinator('c3', coordinator.address);
    worker = fleet.worker('w3', coordinator);
    const { failure } = await coordinator.client.until(jobs[0] ?? '', ({ ended }) => ended);
    expect(failure).toMatchObject({ code: 'campaign-failed', why: 'cannot read the mask: no mask has this hash' });
  });
});
