import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, it, vi } from 'vitest';
import { listServers } from '../../shared/bus/presence.ts';
import { describeWithServer } from '../../shared/bus/test-server.spec-support.ts';
import { trustIn } from '../../shared/manifest/manifests.spec-support.ts';
import { openAccess } from './access.ts';
import { type ImageModel, startServing } from './serving-process.ts';

const checkpoint = `sha256:${'7'.repeat(64)}`;
const patience = { timeout: 30_000, interval: 20 };
/** Prepares nothing and makes nothing: what is tested is how the process comes and goes. */
const model: ImageModel<undefined> = {
  served: { name: 'none', checkpoint, sizes: [{ width: 8, height: 8 }] },
  largestMask: 0,
  sampling: () => ({ scheduler: 'euler', steps: 1, guidance: 1, height: 1, width: 1 }),
  prepare: () => Promise.resolve(undefined),
  release: () => Promise.resolve(),
  generate: () => Promise.resolve([]),
};

await describeWithServer('a serving process', (server) => {
  it('takes its entry back before it has waited for clients that say nothing', async () => {
    const state = await mkdtemp(join(tmpdir(), 'lethe-serving-'));
    const bus = await server.connect();
    const serving = await startServing(
      {
        name: 'spec',
        host: '127.0.0.1',
        port: 0,
        tls: undefined,
        access: openAccess,
        queue: { waiting: 1, batch: 1, gatherMs: 0 },
        deadlineMs: 1000,
        state,
        keys: { trust: () => Promise.resolve(trustIn()), fleetKey: undefined },
        bus: () => Promise.resolve(server.running.address('serving')),
        unpruned: false,
      },
      model,
      pino({ level: 'silent' }),
    );
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
    await rm(state, { recursive: true });
  });
});
