import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { LetheError } from '../../shared/error/lethe-error.ts';

/**
 * A file or folder that is there whole or not at all: `work` makes it under another name beside its place, and it is
 * renamed when it is done. What `work` leaves behind when it fails is removed.
 *
 * @throws LetheError `usage` if something is there already (an empty folder may be), `write-failed` for what the file
 *   system refuses.
 */
export async function newOutput<T>(path: string, work: (temporary: string) => Promise<T>): Promise<T> {
  await requireNothing(path);
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.partial`);
  try {
    const result = await work(temporary);
    await rename(temporary, path);
    return result;
  } catch (cause) {
    await rm(temporary, { recursive: true, force: true });
    if (cause instanceof LetheError) throw cause;
    throw new LetheError('write-failed', {
      what: 'cannot write the export',
      where: path,
      why: cause instanceof Error ? cause.message : String(cause),
      next: 'free space on this disk, or name another place',
      cause,
    });
  }
}

async function requireNothing(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || (found.isDirectory() && (await readdir(path)).length === 0)) return;
  throw new LetheError('usage', {
    what: 'cannot write the export',
    where: path,
    why: found.isDirectory() ? 'the folder is not empty' : 'there is such a file',
    next: 'name a place where nothing is; nothing is overwritten',
  });
}
