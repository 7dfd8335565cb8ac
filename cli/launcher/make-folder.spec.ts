import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureKeys, type KeyFolder } from '../keys/key-folder.ts';
import { startLocalFleet } from './local-fleet.ts';
import { lockFolder } from '../../shared/lock/folder-lock.ts';
import { makeFolder } from '../../shared/lock/make-folder.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'lethe-folder-'));
  await writeFile(join(root, 'file'), '');
  await symlink('nowhere/at/all', join(root, 'dangling'));
});
afterAll(() => rm(root, { recursive: true }));

type Maker = (folder: string) => Promise<unknown>;
const makers: Readonly<Record<string, Maker>> = {
  folder: makeFolder,
  lock: lockFolder,
  keys: (folder) => ensureKeys({ folder } as KeyFolder, new Date(0)),
  fleet: (data) => startLocalFleet({ data } as Parameters<typeof startLocalFleet>[0], () => undefined),
};

describe.each(Object.entries(makers))('a %s', (_, make) => {
  it.each(['file', 'file/below', 'dangling'])('at a place that cannot be one is write-failed: %s', async (name) => {
    const folder = join(root, name);
    await expect(make(folder)).rejects.toMatchObject({
      code: 'write-failed',
      where: expect.stringContaining(folder) as string,
    });
  });
});

it('makes what is missing, for its owner alone', async () => {
  await makeFolder(join(root, 'a', 'b'));
  expect((await stat(join(root, 'a', 'b'))).mode & 0o777).toBe(0o700);
});
