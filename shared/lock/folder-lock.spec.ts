import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockFolder, noteProcess, unlockFolder } from './folder-lock.ts';

let folder: string;
let other: ChildProcess;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lethe-lock-'));
  other = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] });
  await once(other, 'spawn');
});
afterEach(async () => {
  other.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

describe('the lock of a folder', () => {
  it('keeps others out while one that is noted lives, and is taken over after kill -9', async () => {
    await lockFolder(folder);
    await noteProcess(folder, other.pid ?? 0);
    await expect(lockFolder(folder)).rejects.toMatchObject({
      code: 'folder-taken',
      why: `process ${other.pid ?? 0} works in it`,
    });
    const exit = once(other, 'exit');
    other.kill('SIGKILL');
    await exit;
    await lockFolder(folder);
    await unlockFolder(folder);
    expect(await readdir(folder)).toEqual([]);
  });

  it('takes a lock over that it left itself when it last had its id, as process 1 of a container', async () => {
    await writeFile(join(folder, 'lock'), `${process.pid} 1\n`);
    await lockFolder(folder);
  });

  it.skipIf(!existsSync('/proc/self/stat'))('takes no process for another that had its id before', async () => {
    await writeFile(join(folder, 'lock'), `${other.pid ?? 0} 1\n`);
    await lockFolder(folder);
  });

  it('says so where nothing can be written', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(lockFolder(join(folder, 'file'))).rejects.toMatchObject({ code: 'write-failed' });
  });
});
