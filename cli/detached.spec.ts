import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { processesWith } from './fleet.spec-support.ts';
import { lethe } from './run-command.spec-support.ts';

let data: string;
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'lethe-detached-'));
});
afterAll(async () => {
  await lethe(['down', '--data', data]);
  await rm(data, { recursive: true });
});

/** A port that is free now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

describe.skipIf(process.platform !== 'linux')('lethe up --detach', () => {
  it('runs on, is found, shows its logs and metrics, and ends by `lethe down`', async () => {
    const port = await freePort();
    const up = await lethe(['up', '--detach', '--workers', '1', '--metrics-port', String(port), '--data', data]);
    expect(up).toMatchObject({ code: 0, stderr: '' });
    const [, coordinator = ''] =
      /^coordinator (\S+), workers: 1, data in .*`lethe down` ends it\n$/.exec(up.stdout) ?? [];
    expect(await processesWith(coordinator)).toHaveLength(2);
    expect(await lethe(['status', '--data', data])).toMatchObject({ code: 0 });
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(metrics).toContain('lethe_build_info');

    const logs = await lethe(['logs', '--data', data]);
    expect(logs.stdout).toMatch(/^coordinator {2}\d\d:\d\d:\d\d listening .*coordinator=coordinator/m);
    const raw = await lethe(['logs', 'coordinator', '--json', '--data', data]);
    expect(JSON.parse(raw.stdout.split('\n')[0] ?? '')).toMatchObject({ process: 'coordinator', line: { level: 30 } });
    expect(await lethe(['logs', 'worker-9', '--data', data])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('coordinator, up, worker-1') as string,
    });

    const second = await lethe(['up', '--detach', '--data', data]);
    expect({ code: second.code, stdout: second.stdout }).toEqual({ code: 1, stdout: '' });
    expect(second.stderr).toContain('[fleet-running]');

    expect(await lethe(['down', '--data', data])).toMatchObject({ code: 0 });
    expect(await processesWith(data)).toEqual([]);
    expect(await processesWith(coordinator)).toEqual([]);
    const none = await lethe(['down', '--data', data]);
    expect(none).toMatchObject({ code: 1, stdout: '' });
    expect(none.stderr).toContain('none runs there');
  });
});
