import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it, vi } from 'vitest';
import { ensureStreams } from './ensure-streams.ts';
import { presenceSubject } from './names.ts';
import { Presence, listServers } from './presence.ts';
import { bytes, describeWithServer } from './test-server.spec-support.ts';

/** Shorter than in service, so that expiry is seen soon. */
const ageMs = 1500;
const stream = 'KV_lethe_v1_servers';
const patience = { timeout: 120_000, interval: 50 };
const entry = (process: string, checkpoint: string) => ({ process, checkpoint, since: 1 });

await describeWithServer('presence', (server) => {
  beforeAll(async () => {
    const bus = await server.connect();
    const { config } = await bus.api<{ config: object }>(`STREAM.INFO.${stream}`);
    await bus.api(`STREAM.UPDATE.${stream}`, { ...config, max_age: ageMs * 1e6, duplicate_window: ageMs * 1e6 });
  });

  const start = async (checkpoint: string) => {
    const script = fileURLToPath(new URL('./presence-process.spec-support.js', import.meta.url));
    const { credentials } = server.running.address('spec');
    const token = credentials?.kind === 'token' ? credentials.token : '';
    const child = spawn(process.execPath, [script, String(server.running.port), token, String(ageMs), checkpoint], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    return child;
  };

  it('is an entry a process and checkpoint, that outlives its age while it is renewed and goes after SIGKILL', async () => {
    const bus = await server.connect();
    const checkpoint = `sha256:${'a'.repeat(64)}`;
    const child = await start(checkpoint);
    const ours = new Presence(bus, entry('ours', checkpoint), ageMs);
    const other = new Presence(bus, entry('ours', 'another'), ageMs);
    try {
      await vi.waitUntil(async () => (await listServers(bus, checkpoint)).length === 2, patience);
      const theirs = `process ${child.pid ?? 0}`;
      expect(await listServers(bus, checkpoint)).toMatchObject([
        { process: 'ours' },
        { process: theirs, version: 7, digest: 'a'.repeat(64), seconds: 0.5 },
      ]);
      // The bucket forgets what nobody renews; ours and theirs stay beyond it.
      await bus.store(presenceSubject(checkpoint, 'silent'), bytes(JSON.stringify(entry('silent', checkpoint))));
      const names = async () => (await listServers(bus, checkpoint)).map(({ process }) => process);
      expect(await names()).toEqual(['ours', theirs, 'silent']);
      await vi.waitUntil(async () => !(await names()).includes('silent'), patience);
      expect(await names()).toEqual(['ours', theirs]);

      child.kill('SIGKILL');
      await vi.waitUntil(async () => (await listServers(bus, checkpoint)).length === 1, patience);
      expect(await names()).toEqual(['ours']);
      await ours.withdraw();
      expect(await listServers(bus, checkpoint)).toEqual([]);
      expect(await listServers(bus, 'another')).toHaveLength(1);
    } finally {
      child.kill('SIGKILL');
      await ours.withdraw();
      await other.withdraw();
    }
  });

  it('comes back after NATS was killed and its entries were lost', async () => {
    const bus = await server.connect();
    const presence = new Presence(bus, entry('lasting', 'lasting'), ageMs);
    try {
      await presence.say({ ...entry('lasting', 'lasting'), version: 3 });
      await server.kill();
      await server.restart();
      await bus.api(`STREAM.PURGE.${stream}`);
      await vi.waitUntil(async () => (await listServers(bus, 'lasting')).length === 1, patience);
      expect(await listServers(bus, 'lasting')).toMatchObject([{ process: 'lasting', version: 3 }]);
    } finally {
      await presence.withdraw();
    }
  });

  it('leaves out entries that it cannot read', async () => {
    const bus = await server.connect();
    await bus.store(presenceSubject('odd', 'a'), bytes('{'));
    await bus.store(presenceSubject('odd', 'b'), bytes('{"process":"b"}'));
    await bus.store(presenceSubject('odd', 'c'), bytes(JSON.stringify(entry('c', 'odd'))));
    expect(await listServers(bus, 'odd')).toMatchObject([{ process: 'c', instance: 'c' }]);
  });

  it('has a bucket that coordinators set up alike', async () => {
    const bus = await server.connect();
    await ensureStreams(bus, 1);
    const { config } = await bus.api<{ config: { max_age: number } }>(`STREAM.INFO.${stream}`);
    expect(config.max_age).toBe(15e9);
  });
});
