import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { listServers } from '../../shared/bus/presence.ts';
import { describeWithServer } from '../../shared/bus/test-server.spec-support.ts';
import { newKey, trustIn } from '../../shared/manifest/manifests.spec-support.ts';
import { signManifest } from '../../shared/manifest/sign-manifest.ts';
import type { TrustList } from '../../shared/manifest/trust-list.ts';
import type { Mask } from '../../shared/mask/mask.ts';
import { maskWith } from '../prune/masks.spec-support.ts';
import { openAccess } from './access.ts';
import { manifestOf } from './published.spec-support.ts';
import { ServedStateFolder } from './served-state.ts';
import { type ImageModel, type ServingProcess, type ServingSetup, startServing } from './serving-process.ts';

const checkpoint = `sha256:${'7'.repeat(64)}`;
const patience = { timeout: 120_000, interval: 20 };
/** Prepares nothing and makes nothing: what is tested is how the process comes and goes. */
const model: ImageModel<undefined> = {
  served: { name: 'none', checkpoint, sizes: [{ width: 8, height: 8 }] },
  largestMask: 0,
  sampling: () => ({ scheduler: 'euler', steps: 1, guidance: 1, height: 1, width: 1 }),
  prepare: () => Promise.resolve(undefined),
  release: () => Promise.resolve(),
  generate: () => Promise.resolve([]),
};
let state: string;
beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'lethe-serving-'));
});
afterEach(async () => {
  await rm(state, { recursive: true });
});

async function serve(more: Partial<ServingSetup>, log = pino({ level: 'silent' })): Promise<ServingProcess> {
  const setup: ServingSetup = {
    name: 'spec',
    host: '127.0.0.1',
    port: 0,
    tls: undefined,
    access: openAccess,
    hosts: undefined,
    queue: { waiting: 1, batch: 1, gatherMs: 0 },
    deadlineMs: 1000,
    state,
    keys: { trust: () => Promise.resolve(trustIn()), fleetKey: undefined },
    bus: undefined,
    unpruned: false,
    ...more,
  };
  return startServing(setup, model, log);
}

await describeWithServer('a serving process', (server) => {
  it('takes its entry back before it has waited for clients that say nothing', async () => {
    const bus = await server.connect();
    const serving = await serve({ bus: () => Promise.resolve(server.running.address('serving')) });
    const count = async (): Promise<number> => (await listServers(bus, checkpoint)).length;
    const silent = connect(Number(new URL(serving.url).port), '127.0.0.1').on('error', () => undefined);
    await once(silent, 'connect');
    await vi.waitUntil(async () => (await count()) === 1, patience);
    const cut = once(silent, 'close').then(() => 'cut');
    const stopped = serving.stop();
    const gone = vi.waitUntil(async () => (await count()) === 0, patience).then(() => 'gone');
    expect(await Promise.race([gone, cut])).toBe('gone');
    await stopped;
    expect(await cut).toBe('cut');
  });
});

describe('a process that is to serve unpruned until the first manifest', () => {
  const key = newKey();
  const keysOf = (trust: () => Promise<TrustList>) => ({ trust, fleetKey: undefined });
  const trusted = keysOf(() => Promise.resolve(trustIn(key)));
  const mask = maskWith(checkpoint, []);
  /** Whether it is ready, how it answers a request for images, and with which version. */
  const answers = async (keys: ServingSetup['keys']) => {
    const serving = await serve({ keys, unpruned: true });
    const ready = (await fetch(`${serving.url}/ready`)).status;
    const response = await fetch(`${serving.url}/v1/images/generations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'a cat' }),
    });
    await serving.stop();
    return [ready, response.status, response.headers.get('lethe-manifest-version')];
  };
  /** What a process leaves behind that has followed version 3. */
  const leave = async (union: Mask | undefined): Promise<ServedStateFolder> => {
    const manifest = manifestOf(checkpoint, 3, union);
    const folder = await ServedStateFolder.open(state, checkpoint);
    if (manifest.union !== undefined) await folder.keepMask(manifest.union, Buffer.from('damaged'));
    await folder.keep({ version: 3, digest: 'd'.repeat(64) }, signManifest(manifest, key), manifest.union);
    return folder;
  };

  it('does so where none was ever seen, and serves what is kept where one was', async () => {
    expect(await answers(trusted)).toEqual([200, 200, '0']);
    await leave(undefined);
    expect(await answers(trusted)).toEqual([200, 200, '3']);
  });

  it.each<[string, ServingSetup['keys'], Mask | undefined]>([
    ['the trust list cannot be read', keysOf(() => Promise.reject(new Error('others may write it'))), undefined],
    ['the key is retired', keysOf(() => Promise.resolve(trustIn([key, 'retired']))), undefined],
    ['the mask that is kept is damaged', trusted, mask],
  ])('serves nothing after a restart where %s', async (_, keys, union) => {
    await leave(union);
    expect(await answers(keys)).toEqual([503, 503, null]);
  });

  it('serves nothing after a restart where masks were seen and never came', async () => {
    const folder = await ServedStateFolder.open(state, checkpoint);
    await folder.see({ version: 3, digest: 'd'.repeat(64) });
    expect(await answers(trusted)).toEqual([503, 503, null]);
  });

  it('says at the start what it waits for', async () => {
    const lines: string[] = [];
    const serving = await serve({}, pino({ level: 'info' }, { write: (line: string) => lines.push(line) }));
    await serving.stop();
    const told = lines.map((line) => JSON.parse(line) as { readonly msg: string; readonly why?: string });
    expect(told.find(({ msg }) => msg.startsWith('no image is made'))?.why).toMatch(/\w/);
  });
});
