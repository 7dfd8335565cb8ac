import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { APIError } from 'openai';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { lethe } from '../../cli/run-command.spec-support.ts';
import { Blobs } from '../../shared/bus/blobs.ts';
import { type FleetKey, readFleetKey } from '../../shared/manifest/fleet-key.ts';
import { isSealedWith } from '../../shared/manifest/seal-blob.ts';
import { maskBlob } from '../../shared/mask/mask-blob.ts';
import { encodeMask } from '../../shared/mask/mask-file.ts';
import { compressMask } from '../../shared/mask/mask-storage.ts';
import type { Mask } from '../../shared/mask/mask.ts';
import { maskWith, siteLayers, someBits } from '../../worker/prune/masks.spec-support.ts';
import { blobStoreBytes } from '../fleet-processes/stored.ts';
import { ask, clientOf } from './ask-image.spec-support.ts';
import { ServeStage, type Serving } from './serve-stage.ts';

const asked = { prompt: 'a picture of a cat', seed: 7 };
const quick = ['--scheduler', 'pndm', '--steps', '4'];
const patience = { timeout: 120_000, interval: 50 };

interface Drawn {
  readonly unpruned: string;
  readonly cat: string;
  readonly both: string;
}

describe('lethe serve with sealed masks', () => {
  let stage: ServeStage;
  /** Of two concepts, cat and dog: their union is a third file. */
  let masks: readonly [cat: Mask, dog: Mask];
  let hashes: readonly [cat: string, dog: string];
  /** PNGs in base64, as `lethe generate` draws them with mask files. */
  let drawn: Drawn;
  /** Serves with the fleet key as it was at the beginning. */
  let keyed: Serving;

  const keysOf = (name: string): string => join(stage.folder, `keys-of-${name}`);
  const withKey = (name: string): readonly string[] => ['--fleet-key', join(keysOf(name), 'fleet.key')];
  const keyOf = (name: string): Promise<FleetKey> => readFleetKey(join(keysOf(name), 'fleet.key'));
  /** What a command prints. */
  const command = async (...args: readonly string[]): Promise<Readonly<Record<string, unknown>>> => {
    const { stdout, stderr } = await lethe([...args, '--data', join(stage.folder, 'operator'), '--json']);
    expect(stdout, stderr).not.toBe('');
    return JSON.parse(stdout) as Readonly<Record<string, unknown>>;
  };
  const draw = async (...more: readonly string[]): Promise<readonly string[]> => {
    const what = ['--prompt', asked.prompt, '--seed', String(asked.seed), ...quick];
    const { files } = await command('generate', ...what, '--out', join(stage.folder, 'drawn'), ...more);
    return Promise.all((files as readonly string[]).map((file) => readFile(file, 'base64')));
  };
  const drawAll = async (): Promise<Drawn> => {
    const [cat, dog] = ['cat', 'dog'].map((name) => join(stage.folder, `${name}.safetensors`)) as [string, string];
    await Promise.all([writeFile(cat, encodeMask(masks[0])), writeFile(dog, encodeMask(masks[1]))]);
    const [unpruned = '', alone = ''] = await draw('--compare', '--mask', cat);
    const [both = ''] = await draw('--mask', cat, dog);
    return { unpruned, cat: alone, both };
  };
  /** Those masks of which anything in the object store can be read: their header, or what they are compressed to. */
  const readable = async (): Promise<readonly Mask[]> => {
    const all = await blobStoreBytes(await stage.bus());
    const traces = masks.map(async (mask) => {
      const bytes = encodeMask(mask);
      return [bytes.subarray(8, 72), (await compressMask(bytes)).subarray(16, 80)];
    });
    const found = (await Promise.all(traces)).map((parts) => parts.some((part) => all.includes(Buffer.from(part))));
    return masks.filter((_, i) => found[i]);
  };
  /** Blobs of masks that are sealed with the first secret of a fleet key, and the others. */
  const sealedWith = async (fleetKey: FleetKey) => {
    const blobs = new Blobs(await stage.bus());
    const found = { sealed: [] as string[], others: [] as string[] };
    for await (const { name } of blobs.list())
      found[isSealedWith(await blobs.get(name), fleetKey) ? 'sealed' : 'others'].push(name);
    return found;
  };
  const refusedLine = 'refused what is published';

  beforeAll(async () => {
    stage = await ServeStage.start();
    const [cat, dog] = [1, 2].map((seed) =>
      maskWith(stage.id, siteLayers(stage.checkpoint, 'ffn2', someBits(seed, 20))),
    ) as [Mask, Mask];
    masks = [cat, { ...dog, parts: dog.parts.map((part) => ({ ...part, concept: 'dog' })) }];
    hashes = [await stage.addMask(masks[0]), await stage.addMask(masks[1])];
    for (const name of ['fleet', 'stranger']) await command('keys', 'create', '--fleet', '--keys', keysOf(name));
    drawn = await drawAll();
    expect(new Set(Object.values(drawn)).size).toBe(3);
    keyed = await stage.serve('keyed', [...quick, ...withKey('fleet')]);
  });
  afterAll(() => stage.stop());

  it('applies masks from before the fleet key, and nothing of them can be read in the object store from then on', async () => {
    expect(await readable()).toEqual(masks);
    const coordinator = await stage.coordinator('c1', withKey('fleet'));
    const forced = ['--force', '--reason', 'a spec', '--coordinator', coordinator];
    expect(await command('apply', ...hashes, ...forced)).toMatchObject({
      version: 1,
      missing: [],
      processes: [{ process: 'keyed', state: 'serving', version: 1 }],
    });
    const { sealed, others } = await sealedWith(await keyOf('fleet'));
    expect(sealed).toEqual(expect.arrayContaining(hashes.map(maskBlob)));
    // And their union.
    expect(sealed).toHaveLength(3);
    expect(others).toEqual([]);
    expect(await readable()).toEqual([]);
  });

  it('makes with the key the image that the same masks give when it is drawn directly', async () => {
    expect(await ask(clientOf(keyed), asked)).toEqual({ ...asked, version: 1, image: drawn.both });
  });

  it.each([
    { key: 'no', flags: () => [], because: () => 'no fleet key is set' },
    { key: 'another', flags: () => withKey('stranger'), because: (id: string) => `does not hold secret ${id}` },
  ])('makes no image with $key key, and says why', async ({ key, flags, because }) => {
    const why = because((await keyOf('fleet')).secrets[0].id);
    const serving = await stage.serve(key, [...quick, ...flags()]);
    const judged = await serving.process.logged(({ msg }) => [refusedLine, 'serving a set of masks'].includes(msg));
    const reason = { msg: refusedLine, reason: 'mask-damaged', why: expect.stringContaining(why) as string };
    expect(judged).toMatchObject(reason);
    const ready = await fetch(`${serving.url}/ready`);
    expect(ready.status).toBe(503);
    expect(await ready.text()).toContain(why);
    const refused = await ask(clientOf(serving), asked).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(APIError);
    expect(refused).toMatchObject({ status: 503, code: 'not_ready' });
    expect((refused as APIError).message).toContain(why);
    const metrics = await (await fetch(`${serving.url}/metrics`)).text();
    expect(metrics).toContain('lethe_manifest_refusals_total{reason="mask-damaged"} 1');
    expect(metrics).toContain('lethe_manifest_refused 1');
    expect(metrics).toContain('lethe_manifest_version_served 0');
    expect(metrics).toContain('lethe_serve_batch_images_count 0');
    const entry = async () => (await stage.servers()).find(({ process }) => process === key);
    await vi.waitUntil(async () => (await entry())?.refused?.reason === 'mask-damaged', patience);
    expect((await entry())?.version).toBeUndefined();
    await serving.process.kill('SIGTERM');
  });

  it('serves what the old secret has sealed after the fleet key is rotated, and what the new one seals', async () => {
    const old = await keyOf('fleet');
    await command('keys', 'rotate', '--fleet', '--keys', keysOf('fleet'));
    const renewed = await keyOf('fleet');
    expect(renewed.secrets.slice(1)).toEqual(old.secrets);
    expect((await sealedWith(old)).sealed).toHaveLength(3);
    const rotated = await stage.serve('rotated', [...quick, ...withKey('fleet')]);
    await stage.served(rotated, 1);
    expect(await ask(clientOf(rotated), asked)).toEqual({ ...asked, version: 1, image: drawn.both });

    const coordinator = await stage.coordinator('c2', withKey('fleet'));
    // `keyed` has the old secret alone and does not take it over: nobody is waited for.
    const restored = await command('restore', 'dog', '--coordinator', coordinator, '--timeout', '0');
    expect(restored).toMatchObject({ version: 2, missing: expect.arrayContaining(['keyed']) as string[] });
    expect((await sealedWith(renewed)).sealed).toEqual([maskBlob(hashes[0])]);
    await stage.served(rotated, 2);
    expect(await ask(clientOf(rotated), asked)).toEqual({ ...asked, version: 2, image: drawn.cat });
    const why = expect.stringContaining(`does not hold secret ${renewed.secrets[0].id}`) as string;
    expect(await keyed.process.logged(({ msg }) => msg === refusedLine)).toMatchObject({ reason: 'mask-damaged', why });
    // The last good set stays.
    expect(await ask(clientOf(keyed), asked)).toEqual({ ...asked, version: 1, image: drawn.both });
  });
});
