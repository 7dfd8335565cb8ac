import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { endStarted, processesWith, said, startLethe } from './fleet.spec-support.ts';
import { ended, lethe } from './run-command.spec-support.ts';

let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'lethe-up-'));
});
afterEach(async () => {
  endStarted();
  await rm(data, { recursive: true });
});

interface Started {
  readonly coordinator: string;
  readonly workers: number;
  readonly pid: number;
}

/** A fleet with one worker, ready. */
async function up() {
  const child = startLethe('up', '--workers', '1', '--data', data, '--json');
  const end = ended(child);
  const started = JSON.parse(await said(child, 'stdout', /\n/)) as Started;
  return { child, end, ...started };
}

const patience = { timeout: 120_000 };
const gone = (text: string): Promise<unknown> =>
  vi.waitUntil(async () => (await processesWith(text)).length === 0, patience);

describe.skipIf(process.platform !== 'linux')('lethe up', () => {
  it('runs a fleet that other commands find, refuses a second one, and leaves no process at Ctrl-C', async () => {
    const { child, end, coordinator } = await up();
    const workers = await lethe(['workers', '--json'], { LETHE_DATA: data });
    expect(JSON.parse(workers.stdout)).toMatchObject({ workers: [{ worker: 'worker-1', suspended: '' }] });
    expect((await lethe(['workers', '--coordinator', coordinator])).stdout).toMatch(/^worker-1 +idle/m);
    expect(await lethe(['status', '--data', data])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^no campaign/) as string,
    });

    // It has made keys, without being asked: what is active can be changed and audited.
    const keys = await lethe(['keys', 'list', '--json', '--data', data]);
    const { signing, keys: trusted } = JSON.parse(keys.stdout) as { signing: string; keys: readonly object[] };
    expect(trusted).toMatchObject([{ id: signing, state: 'active' }]);
    expect((await stat(join(data, 'keys', 'signing.key'))).mode & 0o777).toBe(0o600);
    expect(await lethe(['audit', '--data', data])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^record +version .*\n\nthe chain is whole \(records: 0;/) as string,
    });

    const second = await lethe(['up', '--data', data]);
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toContain('[fleet-running]');
    expect(second.stderr).toContain(coordinator);

    expect(await processesWith(coordinator)).toHaveLength(2);
    child.kill('SIGINT');
    expect(await end).toMatchObject({ code: 0, signal: null });
    expect(await processesWith(coordinator)).toEqual([]);
    expect(await processesWith(data)).toEqual([]);
    expect((await lethe(['status', '--data', data])).stderr).toContain('[fleet-unreachable]');
  });

  it('starts a worker again that was killed, and ends with its launcher, however that ends', async () => {
    const { child, end, coordinator } = await up();
    const worker = await processesWith(`worker/run/main.js --coordinator ${coordinator}`);
    const [id = 0] = worker;
    const told = said(child, 'stderr', /worker-1 ended \(SIGKILL\); it is started again/);
    process.kill(id, 'SIGKILL');
    await told;
    await vi.waitUntil(async () => {
      const { stdout } = await lethe(['workers', '--data', data]);
      return stdout.includes('worker-1') && !(await processesWith(coordinator)).includes(id);
    }, patience);
    child.kill('SIGKILL');
    await Promise.all([once(child, 'exit'), end]);
    await gone(coordinator);
    await gone(data);
  });
});
