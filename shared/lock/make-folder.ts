import { mkdir } from 'node:fs/promises';
import { LetheError } from '../error/lethe-error.ts';

/**
 * Makes a folder that only its owner may look into, with the folders above it; one that is there is kept as it is.
 *
 * @throws LetheError `write-failed`
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new LetheError('write-failed', {
      what: 'cannot make the folder',
      where: folder,
      why: cause instanceof Error ? cause.message : String(cause),
      next: 'name a folder that this process can write to',
      cause,
    });
  }
}
