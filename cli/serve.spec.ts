import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { endStarted, said, startLethe } from './fleet.spec-support.ts';
import { ended, lethe } from './run-command.spec-support.ts';

let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'lethe-serve-'));
});
afterEach(async () => {
  endStarted();
  await rm(data, { recursive: true });
});

const own = (): readonly string[] => ['--port', '0', '--state', join(data, 'state'), '--data', data];
const patience = { timeout: 120_000, interval: 100 };
const urlIn = (text: string): string => /https?:\/\/\S+\d/.exec(text)?.[0] ?? '';

describe('lethe serve', () => {
  it('shows how it is used', async () => {
    const { stdout, code } = await lethe(['serve', '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('/v1/images/generations');
    expect(stdout).toContain('Examples:');
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(
      '--serve-unpruned [true|false] serve the checkpoint with nothing pruned',
    );
  });

  it.each<[string, readonly string[], string]>([
    ['the network without keys', ['--host', '0.0.0.0'], 'give --api-keys FILE'],
    ['the network in plain text', ['--host', '0.0.0.0', '--api-keys', 'keys.txt'], '--tls-certificate and --tls-key'],
    ['a certificate without its key', ['--tls-certificate', 'x.pem'], 'give both'],
    ['keys that are not there', ['--api-keys', 'nowhere.txt'], 'name a file that can be read'],
    ['a size the VAE cannot make', ['--size', '65x64'], 'give multiples of 4'],
    ['a name of nothing', ['--name', ''], 'see `lethe serve --help`'],
    ['a name that acknowledgements have no room for', ['--name', 'x'.repeat(201)], 'see `lethe serve --help`'],
    ['any free port without a folder for its state', ['--port', '0'], 'give --state DIR'],
    ['a flag that says nothing', ['--insecure=perhaps'], 'see `lethe serve --help`'],
  ])('refuses %s', async (_, flags, next) => {
    await writeFile(join(data, 'keys.txt'), 'a-key-that-is-long-enough\n');
    const given = flags.map((flag) => (flag === 'keys.txt' ? join(data, flag) : flag));
    const { code, stderr } = await lethe(['serve', '--data', data, ...given]);
    expect(stderr).toContain(next);
    expect(code).toBe(2);
  });

  it('takes a setting that says false for what it says', async () => {
    const { code, stderr } = await lethe(['serve', '--data', data, '--host', '0.0.0.0'], { LETHE_INSECURE: 'false' });
    expect(stderr).toContain('--insecure');
    expect(code).toBe(2);
  });

  it('has its state for itself alone, until it ends, however it ends', async () => {
    const first = startLethe('serve', ...own());
    await said(first, 'stdout', /listening/);
    const { code, stderr } = await lethe(['serve', ...own()]);
    expect(stderr).toContain('[folder-taken]');
    expect(stderr).toContain(`process ${first.pid ?? 0} works in it`);
    expect(code).toBe(1);
    const end = ended(first);
    first.kill('SIGKILL');
    await end;
    const second = startLethe('serve', ...own());
    await said(second, 'stdout', /listening/);
    const over = ended(second);
    second.kill('SIGTERM');
    expect(await over).toMatchObject({ code: 0 });
    expect(await readdir(join(data, 'state'))).not.toContain('lock');
  });

  it('serves the checkpoint as it is where that is asked for, and says so', async () => {
    const child = startLethe('serve', ...own(), '--serve-unpruned', '--steps', '1');
    const end = ended(child);
    const text = await said(child, 'stdout', /listening/);
    expect(text).toContain('warning: nothing is pruned until the first manifest comes');
    const response = await fetch(`${urlIn(text)}/v1/images/generations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'a cat', n: 2 }),
    });
    expect(response.headers.get('lethe-manifest-version')).toBe('0');
    expect(((await response.json()) as { data: readonly object[] }).data).toHaveLength(2);
    child.kill('SIGTERM');
    expect(await end).toMatchObject({ code: 0 });
  });

  it('waits for a fleet, and finds it when it is started', async () => {
    const child = startLethe('serve', ...own(), '--json');
    const url = urlIn(await said(child, 'stdout', /listening/));
    const why = async (): Promise<string> => (await fetch(`${url}/ready`)).text();
    await vi.waitUntil(async () => (await why()).includes('there is no fleet to follow'), patience);
    const fleet = startLethe('up', '--workers', '1', '--data', data, '--json');
    await said(fleet, 'stdout', /\n/);
    await vi.waitUntil(async () => (await why()).includes('no masks have been published'), patience);
  });
});
