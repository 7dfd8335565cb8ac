import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LetheError } from '../../shared/error/lethe-error.ts';

/**
 * Stores a file whole or not at all, whenever the process is killed or the machine loses power. Its owner alone may read it.
 *
 * @throws LetheError `write-failed`
 */
export async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const fresh = `${path}.${process.pid}.new`;
  try {
    const file = await open(fresh, 'w', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(fresh, path);
    // The name is on the disk only when its folder is.
    const folder = await open(dirname(path), 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (cause) {
    await rm(fresh, { force: true }).catch(() => undefined);
    throw new LetheError('write-failed', {
      what: 'cannot store what is served',
      where: path,
      why: cause instanceof Error ? cause.message : String(cause),
      next: 'make room there, and make the folder writable for this process',
      cause,
    });
  }
}
