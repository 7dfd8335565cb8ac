import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LetheError } from '../../error/lethe-error.ts';

/** Holds the ids of the keeper and of its server, a line each. */
const lockFile = 'lock';

/**
 * Takes a data folder for this process: two servers on one folder would destroy it, and nats-server does not look. The
 * lock of processes that are gone is taken over.
 *
 * @throws LetheError `nats-server-failed` if another process has it.
 */
export async function lockFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, lockFile);
  const own = `${path}.${process.pid}`;
  // Linked into place with its content: an empty lock would look like one that was left.
  await writeFile(own, `${process.pid}\n`, { mode: 0o600 });
  try {
    for (let again = true; ; again = false) {
      const cause = await link(own, path).catch((error: unknown) => error);
      if (cause === undefined) return;
      const text = await readFile(path, 'utf8').catch(() => undefined);
      if (text === undefined && again) continue;
      const holder = await holderOf(text ?? '', folder);
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

/** Notes the server: it may outlive a keeper that is killed. */
export async function noteServer(folder: string, pid: number): Promise<void> {
  const path = join(folder, lockFile);
  const next = `${path}.${process.pid}`;
  await writeFile(next, `${process.pid}\n${pid}\n`, { mode: 0o600 });
  await rename(next, path);
}

export async function unlockFolder(folder: string): Promise<void> {
  await rm(join(folder, lockFile), { force: true });
}

async function holderOf(text: string, folder: string): Promise<number | undefined> {
  for (const pid of text.split('\n').filter(Boolean).map(Number)) if (await serves(pid, folder)) return pid;
  return undefined;
}

/** Whether a process lives and, where the system tells, is one for this folder: ids are used again, soonest in containers. */
async function serves(pid: number, folder: string): Promise<boolean> {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (cause) {
    // EPERM: it is somebody else's.
    if ((cause as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined);
  return command?.includes(folder) ?? true;
}

function taken(folder: string, holder: number | undefined, path: string, cause: unknown): LetheError {
  return new LetheError('nats-server-failed', {
    what: 'cannot start nats-server',
    where: folder,
    why: holder === undefined ? 'another one starts there' : `process ${holder} runs one there`,
    next: `use that one, or stop it; if there is none, delete ${path}`,
    cause,
  });
}
