import { join } from 'node:path';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { FleetClient } from '../../cli/fleet/fleet-client.ts';
import { fileKeyring } from '../../coordinator/publish/keyring.ts';
import { publishMask } from '../../coordinator/publish/publish-mask.ts';
import { startCoordinator } from '../../coordinator/run/coordinator.ts';
import { Presence } from '../../shared/bus/presence.ts';
import { describeWithServer } from '../../shared/bus/test-server.spec-support.ts';
import { createSigningKey } from '../../shared/manifest/signing-key.ts';
import { plainText } from './fleet.spec-support.ts';

const checkpoint = `sha256:${'e'.repeat(64)}`;
const union = { rows: 1, columns: 8, bytes: Uint8Array.of(1) };

await describeWithServer("a coordinator's metrics of masks", (server) => {
  it('tell the version that is published, and how many serve by another one', async () => {
    const key = join(server.folder, 'metrics.key');
    await createSigningKey(key);
    const registry = new Registry();
    const coordinator = await startCoordinator(
      {
        name: 'c1',
        listen: '127.0.0.1:0',
        security: plainText,
        replicas: 1,
        leaseMs: 1000,
        checkpoints: [],
        scoreThreads: 1,
        registry,
        keyring: fileKeyring(key, undefined),
        fleetKey: undefined,
      },
      await server.connect(),
      pino({ level: 'silent' }),
    );
    const bus = await server.connect();
    const client = new FleetClient(coordinator.address);
    try {
      const parts = [{ concept: 'a', method: 'conceptprune', settings: {} }];
      const layers = [{ site: 'ffn2', name: 'a', union, steps: [] }] as const;
      const mask = await publishMask(coordinator.store.masks, { checkpoint, parts, timesteps: [], layers });
      const cause = { who: 'spec', why: 'a spec', force: true };
      const { digest } = await client.apply(checkpoint, [{ concept: 'a', mask }], [], cause);
      const entry = { checkpoint, since: 1 };
      const servers = [
        new Presence(bus, { ...entry, process: 'one' }),
        new Presence(bus, { ...entry, process: 'two' }),
      ];
      await servers[0]?.say({ ...entry, process: 'one', version: 1, digest });
      await servers[1]?.say({ ...entry, process: 'two', version: 1, digest: 'f'.repeat(64) });
      const page = await registry.metrics();
      expect(page).toContain(`lethe_manifest_version{checkpoint="${checkpoint}"} 1\n`);
      expect(page).toContain(`lethe_acknowledgements_missing{checkpoint="${checkpoint}"} 1\n`);
      await Promise.all(servers.map((each) => each.withdraw()));
    } finally {
      client.close();
      await coordinator.close();
    }
  });
});
