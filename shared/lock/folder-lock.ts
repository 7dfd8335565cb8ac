import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LetheError } from '../error/lethe-error.ts';

/** A line for each process that has the folder: its id, and when it began where the system tells. */
const lockFile = 'lock';

/**
 * Takes a folder for this process, where two would destroy each other's work. The lock of processes that are gone is taken
 * over; so is one that names this process, which it left when it last had its id.
 *
 * @throws LetheError `folder-taken` if another process has it, `write-failed` if nothing can be written there.
 */
export async function lockFolder(folder: string): Promise<void> {
  const path = join(folder, lockFile);
  const own = `${path}.${process.pid}`;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    // Linked into place with its content: an empty lock would look like one that was left.
    await writeFile(own, await lineOf(process.pid), { mode: 0o600 });
  } catch (cause) {
    throw new LetheError('write-failed', {
      what: 'cannot use the folder',
      where: folder,
      why: cause instanceof Error ? cause.message : String(cause),
      next: 'name a folder that this process can write to',
      cause,
    });
  }
  try {
    for (let again = true; ; again = false) {
      const cause = await link(own, path).catch((error: unknown) => error);
      if (cause === undefined) return;
      const text = await readFile(path, 'utf8').catch(() => undefined);
      if (text === undefined && again) continue;
      const holder = await holderOf(text ?? '');
      if (holder !== undefined || !again || !(await removeStale(path, text ?? '')))
        throw taken(folder, holder, path, cause);
    }
  } finally {
    await rm(own, { force: true });
  }
}

/** Removes the lock that was found to be stale, and no other that took its place meanwhile. */
async function removeStale(path: string, stale: string): Promise<boolean> {
  const aside = `${path}.${process.pid}.stale`;
  await rename(path, aside).catch(() => undefined);
  const moved = await readFile(aside, 'utf8').catch(() => stale);
  if (moved !== stale) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
  return moved === stale;
}

/** Notes another process that works in the folder: it may outlive this one, if this one is killed. */
export async function noteProcess(folder: string, pid: number): Promise<void> {
  const path = join(folder, lockFile);
  const next = `${path}.${process.pid}`;
  await writeFile(next, (await lineOf(process.pid)) + (await lineOf(pid)), { mode: 0o600 });
  await rename(next, path);
}

export async function unlockFolder(folder: string): Promise<void> {
  await rm(join(folder, lockFile), { force: true });
}

async function lineOf(pid: number): Promise<string> {
  return `${pid} ${(await beginningOf(pid)) ?? ''}\n`;
}

/** Ids are used again, soonest in containers: a process that began at another time is another one. */
async function holderOf(text: string): Promise<number | undefined> {
  for (const line of text.split('\n').filter(Boolean)) {
    const [id = '', noted = ''] = line.split(' ');
    const pid = Number(id);
    if (pid === process.pid || !Number.isSafeInteger(pid) || pid <= 0) continue;
    const began = await beginningOf(pid);
    if (began !== undefined && (began === '' || began === noted)) return pid;
  }
  return undefined;
}

/** When a process began, in the system's own count; empty where it does not tell, undefined if there is none. */
async function beginningOf(pid: number): Promise<string | undefined> {
  try {
    process.kill(pid, 0);
  } catch (cause) {
    // EPERM: it is somebody else's.
    if ((cause as NodeJS.ErrnoException).code !== 'EPERM') return undefined;
  }
  // proc(5): after the name, which may hold anything, come the state and 18 fields, then the time.
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // It has ended, and nobody has asked how.
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return fields[19] ?? '';
}

function taken(folder: string, holder: number | undefined, path: string, cause: unknown): LetheError {
  return new LetheError('folder-taken', {
    what: 'cannot use the folder',
    where: folder,
    why: holder === undefined ? 'another process takes it at this moment' : `process ${holder} works in it`,
    next: `name another folder, or stop that process; if there is none, delete ${path}`,
    cause,
  });
}
