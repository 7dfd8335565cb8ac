import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FleetClient } from '../../cli/fleet/fleet-client.ts';
import { type ImageAsk, type ImageProgress, requestImages } from '../../cli/fleet/request-images.ts';
import { startFleet, campaignText } from '../exact/sweep.spec-support.ts';
import type { Coordinator, Fleet } from '../fleet-processes/fleet.ts';
import { decodeMask } from '../../shared/mask/mask-file.ts';
import { maskBytes } from '../fleet-processes/stored.ts';

const sampling = { scheduler: 'pndm', steps: 4, guidance: 2.5, height: undefined, width: undefined };

let fleet: Fleet;
let coordinator: Coordinator;
let client: FleetClient;
let checkpoint: string;
let masks: Readonly<Record<string, string>>;

beforeAll(async () => {
  fleet = await startFleet();
  coordinator = await fleet.coordinator('c1');
  fleet.worker('w1', coordinator);
  const { campaign } = await coordinator.client.submit(campaignText());
  masks = await coordinator.client.masks(campaign);
  ({ checkpoint } = decodeMask(await maskBytes(await fleet.bus(), masks['Neon'] ?? '')));
  client = new FleetClient(coordinator.address);
}, 120_000);
afterAll(async () => {
  client.close();
  await fleet.stop();
});

const asks = (prompts: readonly string[], ...of: readonly string[]): readonly ImageAsk[] =>
  prompts.map((prompt, i) => ({ prompt, seed: String(i), masks: of, sampling }));

async function request(
  wanted: readonly ImageAsk[],
  batch = 2,
): Promise<{ readonly images: readonly Buffer[]; readonly first: ImageProgress | undefined }> {
  const images: Buffer[] = [];
  const told: ImageProgress[] = [];
  const watcher = { onProgress: (each: ImageProgress) => told.push(each), signal: new AbortController().signal };
  const source = { checkpoint, directory: undefined, variant: undefined, numerics: undefined };
  for await (const image of requestImages(client, source, 'spec', batch, wanted, watcher))
    images.push(Buffer.from(image));
  return { images, first: told[0] };
}

describe('images asked of a fleet', () => {
  it('come in the order of the asks, and cost nothing when they are asked for again in another order and company', async () => {
    const wanted = [...asks(['a cat', 'a dog', 'an owl']), ...asks(['a cat', 'a dog', 'an owl'], masks['Neon'] ?? '')];
    const { images, first } = await request(wanted);
    expect(first).toMatchObject({ images: 6, stored: 0, unetCalls: 6 * 5 });
    expect(new Set(images.map((image) => image.toString('hex'))).size).toBe(6);

    const again = await request([...wanted, ...asks(['a cat'])].toReversed(), 1);
    expect(again.first).toMatchObject({ images: 6, stored: 6, unetCalls: 0 });
    expect(again.images.slice(1)).toEqual(images.toReversed());
    expect(again.images[0]).toEqual(images[0]);
  }, 60_000);
});
