import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { processesWith } from './fleet.spec-support.ts';
import { lethe } from './run-command.spec-support.ts';

let folder: string;
let taken: Server;
let port: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lethe-refused-'));
  taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  port = String((taken.address() as AddressInfo).port);
});
afterAll(async () => {
  taken.close();
  await rm(folder, { recursive: true });
});

const up = (...args: readonly string[]) => ['up', '--workers', '1', '--data', join(folder, 'data'), ...args];

describe.skipIf(process.platform !== 'linux')('a fleet that cannot start', () => {
  it.each([
    ['a busy port', () => up('--port', port), {}, /EADDRINUSE/],
    ['a provider that is not there', () => up(), { LETHE_PROVIDER: 'abacus' }, /LETHE_PROVIDER/],
    ['a wrong setting', () => up(), { LETHE_THREADS: 'many' }, /LETHE_THREADS/],
    ['a missing checkpoint', () => up('--checkpoint', '/nope/x'), {}, /\/nope\/x/],
    ['a missing binary', () => up(), { LETHE_NATS_SERVER: '/nope/nats-server' }, /\/nope\/nats-server/],
  ] as const)('ends at once with what its part says: %s', async (_, args, environment, why) => {
    const { code, stderr } = await lethe(args(), environment);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(why);
    expect(stderr).not.toContain('it is started again');
    expect(await processesWith(folder)).toEqual([]);
  });
});
