import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { APIError } from 'openai';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Broadcast } from '../../shared/bus/broadcast.ts';
import { Documents } from '../../shared/bus/documents.ts';
import { buckets } from '../../shared/bus/names.ts';
import { newKey } from '../../shared/manifest/manifests.spec-support.ts';
import { manifestOf } from '../../worker/serve/published.spec-support.ts';
import { signManifest } from '../../shared/manifest/sign-manifest.ts';
import { maskWith, siteLayers, someBits } from '../../worker/prune/masks.spec-support.ts';
import { type Answer, ask, type Asked, clientOf } from './ask-image.spec-support.ts';
import { ServeStage, type Serving } from './serve-stage.ts';

/** Few: what is tested is who makes which image, not how good it is. */
const quick = ['--steps', '2'];
/** Changes of the active set under load: `LETHE_SWAPS=200` for the size that issue 6 names. */
const swaps = Number(process.env['LETHE_SWAPS'] ?? 6);
/** Milliseconds they may take on a busy machine. */
const swapsMs = 60_000 + 15_000 * swaps;
const patience = { timeout: 120_000, interval: 50 };

const asked: readonly Asked[] = ['a picture of a cat', 'a picture of a violin in the style of Neon'].flatMap((prompt) =>
  [1, 2].map((seed) => ({ prompt, seed })),
);

describe('lethe serve', () => {
  let stage: ServeStage;
  /** Hashes of three masks that change every image, and differ. */
  let masks: readonly string[];
  let serving: Serving;

  beforeAll(async () => {
    stage = await ServeStage.start();
    masks = await Promise.all(
      [1, 2, 3].map((seed) =>
        stage.addMask(maskWith(stage.id, siteLayers(stage.checkpoint, 'ffn2', someBits(seed, 20)))),
      ),
    );
    serving = await stage.serve('first', quick);
  });
  afterAll(() => stage.stop());

  /** Makes one of the three masks active alone. */
  const activate = async (which: number): Promise<number> =>
    (await stage.activate({ cat: masks[which] ?? '' })).manifest.version;

  it('serves nothing before the first manifest and says why, then gives the openai client an image', async () => {
    const client = clientOf(serving);
    await vi.waitUntil(
      async () => (await (await fetch(`${serving.url}/ready`)).text()).includes('published'),
      patience,
    );
    const refused = await ask(client, { prompt: 'a cat', seed: 1 }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(APIError);
    expect(refused).toMatchObject({ status: 503, code: 'not_ready' });
    expect((refused as APIError).message).toContain('no masks have been published for this checkpoint yet');

    const version = await activate(0);
    await stage.served(serving, version);
    expect((await fetch(`${serving.url}/ready`)).status).toBe(200);
    const answer = await ask(client, { prompt: 'a cat', seed: 1 });
    expect(answer.version).toBe(version);
    expect(Buffer.from(answer.image, 'base64').subarray(1, 4).toString()).toBe('PNG');
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual(['emoji-sd']);
    await expect(ask(client, { prompt: '', seed: 1 })).rejects.toMatchObject({ status: 400, param: 'prompt' });
  });

  it('acknowledges what it serves, and what took how long', async () => {
    const { manifest, digest } = await stage.activate({ cat: masks[1] ?? '' });
    await vi.waitUntil(async () => (await stage.servers())[0]?.version === manifest.version, patience);
    const [server] = await stage.servers();
    expect(server).toMatchObject({ process: 'first', version: manifest.version, digest, seen: manifest.version });
    expect(server?.seconds).toBeGreaterThan(0);
    expect(server?.refused).toBeUndefined();
  });

  it(
    `fails no request through ${swaps} changes of the active set, and each answer is its version's`,
    async () => {
      /** What is active under each version: a mask, or none. */
      const sets = [0, 1, 2, undefined] as const;
      const setOf = new Map<number, (typeof sets)[number]>();
      const change = async (number: number): Promise<number> => {
        const set = sets[number % sets.length];
        const { manifest } =
          set === undefined ? await stage.activate({}, ['cat']) : await stage.activate({ cat: masks[set] ?? '' });
        setOf.set(manifest.version, set);
        return manifest.version;
      };
      const first = await change(0);
      await stage.served(serving, first);
      const answers: Answer[] = [];
      let over = false;
      const clients = Array.from({ length: 4 }, async (_, number) => {
        const client = clientOf(serving);
        for (let i = number; !over; i++) answers.push(await ask(client, asked[i % asked.length]!));
      });
      const madeUnder = (version: number) =>
        vi.waitUntil(() => answers.some((each) => each.version === version), patience);
      await madeUnder(first);
      const versions = [first];
      for (let i = 1; i <= swaps; i++) {
        const version = await change(i);
        versions.push(version);
        // Some image is made under every version, as long as no change comes before it.
        await madeUnder(version);
      }
      over = true;
      await Promise.all(clients);

      const alone = new Map<string, string>();
      for (const number of sets.keys()) {
        const version = await change(number);
        await stage.served(serving, version);
        for (const each of asked) {
          const { image, version: under } = await ask(clientOf(serving), each);
          expect(under).toBe(version);
          alone.set(`${String(sets[number])} ${each.prompt} ${each.seed}`, image);
        }
      }
      expect(new Set(alone.values()).size).toBe(sets.length * asked.length);
      expect(new Set(answers.map(({ version }) => version))).toEqual(new Set(versions));
      for (const { prompt, seed, version, image } of answers)
        expect(image === alone.get(`${String(setOf.get(version))} ${prompt} ${seed}`), `version ${version}`).toBe(true);
    },
    swapsMs,
  );

  it('serves on under forgeries, tells of each, and makes no image under one', async () => {
    const version = await activate(0);
    await stage.served(serving, version);
    const client = clientOf(serving);
    const before = await ask(client, asked[0]!);
    const bus = await stage.bus();
    const documents = new Documents(bus, buckets.manifests);
    const good = await documents.read(stage.id);
    const put = async (bytes: Uint8Array): Promise<void> => {
      const found = await documents.read(stage.id);
      await documents.update(stage.id, bytes, found?.sequence ?? 0);
      await new Broadcast(bus).say('manifest');
    };
    const altered = Uint8Array.from(good?.bytes ?? []);
    altered[altered.length >> 1] = (altered[altered.length >> 1] ?? 0) ^ 1;
    const next = { ...manifestOf(stage.id, version + 1, undefined) };
    const forgeries = [
      altered,
      signManifest(next, newKey()),
      signManifest({ ...next, checkpoint: `sha256:${'0'.repeat(64)}` }, stage.key),
      signManifest({ ...next, version: version - 1 }, stage.key),
      signManifest({ ...next, version }, stage.key),
    ];
    const refusals = () => serving.process.lines.filter(({ msg }) => msg === 'refused what is published');
    const already = refusals().length;
    for (const [i, bytes] of forgeries.entries()) {
      await put(bytes);
      await serving.process.logged(({ msg }) => msg === 'refused what is published', already + i);
      expect(await ask(client, asked[0]!)).toEqual(before);
    }
    expect(
      refusals()
        .slice(already)
        .map((line) => line['reason']),
    ).toEqual([
      expect.stringMatching(/^(?:malformed|bad-signature)$/),
      'unknown-key',
      'wrong-checkpoint',
      'older-version',
      'same-version-other-content',
    ]);
    const metrics = await (await fetch(`${serving.url}/metrics`)).text();
    expect(metrics).toContain('lethe_manifest_refusals_total{reason="unknown-key"} 1');
    expect(metrics).toContain('lethe_manifest_refused 1');
    expect(metrics).toContain(`lethe_manifest_version_served ${version}`);
    await vi.waitUntil(
      async () => (await stage.servers())[0]?.refused?.reason === 'same-version-other-content',
      patience,
    );
    await put(good?.bytes ?? new Uint8Array());
    await serving.process.logged(({ msg }) => msg === 'what is published is good again');
  });

  it('serves on without NATS, and converges when it is back', async () => {
    const version = await activate(1);
    await stage.served(serving, version);
    const client = clientOf(serving);
    const before = await ask(client, asked[1]!);
    await stage.killNats();
    expect(await ask(client, asked[1]!)).toEqual(before);
    await stage.restartNats();
    const next = await activate(2);
    await stage.served(serving, next);
    expect(await ask(client, asked[1]!)).toMatchObject({ version: next });
    await vi.waitUntil(async () => (await stage.servers())[0]?.version === next, patience);
  });

  it('that was killed comes back with the last good set, NATS away or not, and converges by itself', async () => {
    const second = await stage.serve('second', quick);
    const version = await activate(0);
    await stage.served(second, version);
    const before = await ask(clientOf(second), asked[2]!);
    await vi.waitUntil(async () => (await stage.servers()).length === 2, patience);
    await second.process.kill('SIGKILL');
    const missed = await activate(1);
    await stage.served(serving, missed);
    await stage.killNats();
    const again = await stage.serve('second', quick);
    expect(await ask(clientOf(again), asked[2]!)).toEqual(before);
    await stage.restartNats();
    await stage.served(again, missed);
    expect(await ask(clientOf(again), asked[2]!)).toEqual(await ask(clientOf(serving), asked[2]!));
    await again.process.kill('SIGKILL');
    // Its entry goes by itself: only those that serve are waited for.
    await vi.waitUntil(async () => (await stage.servers()).length === 1, { ...patience, timeout: 40_000 });
  });

  it('finishes what it has accepted at SIGTERM, takes its entry back, and has logged no prompt', async () => {
    const last = await stage.serve('last', quick);
    await vi.waitUntil(async () => (await fetch(`${last.url}/ready`)).status === 200, patience);
    const client = clientOf(last);
    const running = [1, 2, 3].map((seed) => ask(client, { prompt: 'a very secret prompt', seed }));
    await vi.waitUntil(
      async () => !(await (await fetch(`${last.url}/metrics`)).text()).includes('lethe_serve_batch_images_count 0'),
      patience,
    );
    const later = ask(client, { prompt: 'a very secret prompt', seed: 4 }).catch((error: unknown) => error);
    const end = last.process.kill('SIGTERM');
    expect((await Promise.all(running)).map(({ seed }) => seed)).toEqual([1, 2, 3]);
    await later;
    await end;
    expect(last.process.child.exitCode).toBe(0);
    expect((await stage.servers()).map(({ process }) => process)).not.toContain('last');
    expect(JSON.stringify([...last.process.lines, ...serving.process.lines])).not.toMatch(/secret|picture/);
    expect(await readFile(join(stage.folder, 'trust.json'), 'utf8')).toContain(stage.key.id);
  });
});
