import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it, vi } from 'vitest';
import { connectBus } from '../connect.ts';
import { describeWithServer } from '../test-server.spec-support.ts';
import { findNatsServer } from './find-nats-server.ts';
import { runNatsServer } from './run-nats-server.ts';

const folders: string[] = [];
async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lethe-run-'));
  folders.push(folder);
  return folder;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

await describeWithServer('the launcher', (server) => {
  afterAll(async () => {
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  });

  it('starts a server on loopback that only its owner can use', async () => {
    const folder = await newFolder();
    const running = await runNatsServer(server.binary, folder);
    const { servers } = running.address('spec');
    expect(servers).toEqual([`127.0.0.1:${running.port}`]);
    for (const name of ['nats-server.conf', 'token']) expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
    const config = JSON.parse(await readFile(join(folder, 'nats-server.conf'), 'utf8')) as { jetstream: object };
    expect(config.jetstream).toMatchObject({ sync_interval: 'always' });
    await expect(connectBus({ servers, clientName: 'spec' })).rejects.toMatchObject({ code: 'bus-refused' });
    await running.stop();
    expect(isAlive(running.pid)).toBe(false);
    expect(await running.ended).toBeUndefined();
  });

  it('refuses a second server on one folder, and takes the folder over from one that was killed', async () => {
    const failed = { code: 'nats-server-failed' };
    await expect(runNatsServer(server.binary, server.folder)).rejects.toMatchObject(failed);
    await server.kill();
    await server.restart();
    const folder = await newFolder();
    // A lock of processes that are gone, or are about something else: this one is.
    await writeFile(join(folder, 'lock'), `2147483646\n${process.pid}\n`);
    await (await runNatsServer(server.binary, folder)).stop();
  });

  it('lets one of several start when they try at once', async () => {
    for (const stale of [false, true]) {
      const folder = await newFolder();
      if (stale) await writeFile(join(folder, 'lock'), '2147483646\n');
      const tries = await Promise.allSettled([1, 2, 3, 4].map(() => runNatsServer(server.binary, folder)));
      const started = tries.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      expect(started).toHaveLength(1);
      await started[0]!.stop();
    }
  });

  it('tells of a crash', async () => {
    const running = await runNatsServer(server.binary, await newFolder());
    process.kill(running.pid, 'SIGKILL');
    expect(await running.ended).toMatchObject({ code: 'nats-server-failed' });
    await running.stop();
  });

  it('tells why a server does not start', async () => {
    const folder = await newFolder();
    await expect(runNatsServer(server.binary, folder, server.running.port)).rejects.toMatchObject({
      code: 'nats-server-failed',
      why: expect.stringContaining('address already in use') as string,
    });
    await expect(runNatsServer({ path: '/none', version: '' }, folder)).rejects.toMatchObject({
      code: 'nats-server-failed',
      why: expect.stringContaining('ENOENT') as string,
    });
  });

  it.each(['SIGKILL', 'SIGTERM', 'SIGINT', 'having nothing more to do'] as const)(
    'ends with its launcher: %s',
    async (how) => {
      const launcher = fork(fileURLToPath(new URL('./launcher.spec-support.js', import.meta.url)), [
        server.binary.path,
        await newFolder(),
      ]);
      const [pid] = (await once(launcher, 'message')) as [number];
      expect(isAlive(pid)).toBe(true);
      if (how === 'having nothing more to do') launcher.send('go');
      else launcher.kill(how);
      await vi.waitFor(() => {
        expect(isAlive(pid)).toBe(false);
      }, 120_000);
    },
  );

  it('ends its server when its keeper is killed, and says so once it writes to its folder no more', async () => {
    const folder = await newFolder();
    const running = await runNatsServer(server.binary, folder);
    const keeper = Number((await readFile(join(folder, 'lock'), 'utf8')).split(' ')[0]);
    process.kill(keeper, 'SIGKILL');
    expect(await running.ended).toMatchObject({ code: 'nats-server-failed' });
    // A zombie has no command line.
    expect(await readFile(`/proc/${running.pid}/cmdline`, 'utf8').catch(() => '')).toBe('');
    await rm(folder, { recursive: true });
  });

  it('runs the server that LETHE_NATS_SERVER names, or says what is wrong with it', async () => {
    const find = (path: string) => findNatsServer({ LETHE_NATS_SERVER: path }, () => undefined);
    expect(await find(server.binary.path)).toEqual(server.binary);
    const old = join(await newFolder(), 'nats-server');
    await writeFile(old, '#!/bin/sh\necho nats-server: v2.9.25\n');
    await chmod(old, 0o755);
    const missing = { code: 'nats-server-missing' };
    await expect(find(old)).rejects.toMatchObject(missing);
    await expect(find('/none')).rejects.toMatchObject(missing);
  });
});
