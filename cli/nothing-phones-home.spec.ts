import { execFileSync, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { processesWith, said } from './fleet.spec-support.ts';
import { cleanEnvironment, ended, mainFile } from './run-command.spec-support.ts';

const traced = ((): boolean => {
  try {
    return execFileSync('strace', ['-f', '--seccomp-bpf', '-e', 'trace=connect', 'true']).length >= 0;
  } catch {
    return false;
  }
})();

let folder: string;
let environment: NodeJS.ProcessEnv;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lethe-quiet-'));
  const [home, temporary] = [join(folder, 'home'), join(folder, 'temporary')];
  await Promise.all([home, temporary].map((each) => mkdir(each)));
  // As a user has it: vitest's own process has loaded what switches telemetry off.
  // Loopback is never asked for through a proxy: this one answers nobody.
  const own = { http_proxy: 'http://127.0.0.1:9', HOME: home, TMPDIR: temporary, LETHE_DATA: join(folder, 'data') };
  const unset = ['ORT_DISABLE_TELEMETRY', 'XDG_CACHE_HOME'];
  environment = Object.fromEntries(Object.entries(cleanEnvironment(own)).filter(([name]) => !unset.includes(name)));
});
afterAll(async () => {
  for (const pid of await processesWith(folder)) process.kill(pid, 'SIGKILL');
  await rm(folder, { recursive: true });
});

/** Starts `lethe`; where strace is there, it writes down what the process and its children connect and send to. */
function start(trace: string, ...args: readonly string[]) {
  const watched = ['strace', '-f', '--seccomp-bpf', '-e', 'trace=connect,sendto,sendmsg,sendmmsg', '-o', trace];
  const [program = '', ...rest] = [...(traced ? watched : []), process.execPath, mainFile, ...args];
  return spawn(program, rest, { env: environment });
}

/** Addresses beyond this machine that a trace names; none where there is no trace. */
async function beyond(trace: string): Promise<readonly string[]> {
  const text = traced ? await readFile(trace, 'utf8') : '';
  const addresses = text.matchAll(/inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"/g);
  return [...addresses]
    .map(([, v4, v6]) => v4 ?? v6 ?? '')
    .filter((each) => !/^(127\.|::1$|::$|0\.0\.0\.0$)/.test(each));
}

/** Remote addresses of TCP and UDP sockets that a process has open, in the kernel's hex, without loopback and none. */
async function openSockets(pid: number): Promise<readonly string[]> {
  const tables = await Promise.all(['tcp', 'udp', 'tcp6', 'udp6'].map((name) => read(`/proc/${pid}/net/${name}`)));
  const names = await Promise.all(
    (await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')),
  );
  const rows = tables
    .join('')
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  return rows
    .filter(([, , , , , , , , , inode]) => names.includes(`socket:[${inode ?? ''}]`))
    .map(([, , remote = '']) => remote.replace(/:.*/, ''))
    .filter((remote) => !/^(0+|0{16}FFFF0000)?(0100007F|00000000|01000000)$/.test(remote));
}

const read = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

/** What lies in the home and the temporary folder. */
const left = async (): Promise<readonly string[]> =>
  (await Promise.all(['home', 'temporary'].map((name) => readdir(join(folder, name), { recursive: true })))).flat();

describe.skipIf(process.platform !== 'linux')('generate, a fleet with a worker, and serve', () => {
  it('write nothing to home and temporary folders, and speak with nobody but the fleet', async () => {
    const data = join(folder, 'data');
    const traces = ['fleet', 'generate', 'serve'].map((name) => join(folder, name));
    const [fleetTrace = '', generateTrace = '', serveTrace = ''] = traces;
    const fleet = start(fleetTrace, 'up', '--workers', '1', '--data', data, '--json');
    const fleetEnd = ended(fleet);
    const { pid } = JSON.parse(await said(fleet, 'stdout', /\n/)) as { readonly pid: number };

    const out = join(folder, 'cat.png');
    const drawn = start(
      generateTrace,
      'generate',
      '--prompt',
      'a cat',
      '--steps',
      '2',
      '--scheduler',
      'ddim',
      '--out',
      out,
    );
    expect(await ended(drawn)).toMatchObject({ code: 0 });

    const serve = start(
      serveTrace,
      'serve',
      '--port',
      '0',
      '--data',
      data,
      '--state',
      join(data, 'state'),
      '--serve-unpruned',
    );
    const serveEnd = ended(serve);
    await said(serve, 'stdout', /listening|http:/);
    const running = await processesWith(data);
    expect(running.length).toBeGreaterThan(3);
    for (const each of running) expect(await openSockets(each)).toEqual([]);
    expect(await left()).toEqual([]);

    // strace lets its program have the signal alone.
    for (const each of await processesWith(`main.js serve --port 0 --data ${data}`)) process.kill(each, 'SIGINT');
    await serveEnd;
    process.kill(pid, 'SIGINT');
    await fleetEnd;
    expect(await left()).toEqual([]);
    for (const trace of traces) expect(await beyond(trace)).toEqual([]);
  });
});
