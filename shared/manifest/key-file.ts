import { constants } from 'node:fs';
import { type FileHandle, link, open, rename, rm } from 'node:fs/promises';
import { LetheError } from '../error/lethe-error.ts';
import { readSpan } from '../checkpoint/regular-file.ts';

/** LetheError `key-invalid`: a key, or a file of keys, that cannot be used. */
export function keyInvalid(task: string, where: string, why: string, next: string, cause?: unknown): LetheError {
  return new LetheError('key-invalid', { what: `cannot ${task}`, where, why, next, cause });
}

/**
 * The text of a file of keys.
 *
 * @param access `secret` refuses a file that others than its owner may read or write; `public` one that they may write.
 * @throws LetheError `key-invalid`.
 */
export async function keyText(what: string, path: string, limit: number, access: 'secret' | 'public'): Promise<string> {
  const refuse = (why: string, next: string, cause?: unknown) => keyInvalid(`read the ${what}`, path, why, next, cause);
  let file: FileHandle;
  try {
    // Not to wait for the writer of a named pipe.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw refuse(
      cause instanceof Error ? cause.message : String(cause),
      `name the file of the ${what}; \`lethe keys create\` makes one`,
      cause,
    );
  }
  try {
    const found = await file.stat();
    if (!found.isFile()) throw refuse('it is not a regular file', `name the file of the ${what}`);
    const others = found.mode & (access === 'secret' ? 0o077 : 0o022);
    // Windows has no such modes.
    if (others !== 0 && process.platform !== 'win32')
      throw refuse(
        `its mode is ${(found.mode & 0o777).toString(8).padStart(4, '0')}: others than its owner may ${access === 'secret' ? 'use' : 'change'} it`,
        access === 'secret' ? `chmod 600 ${path}; if others had access, make another one` : `chmod go-w ${path}`,
      );
    if (found.size > limit)
      throw refuse(`it has ${found.size} bytes; at most ${limit} are read`, `name the file of the ${what}`);
    const bytes = await readSpan(file, 0, limit + 1);
    if (bytes.length > limit) throw refuse(`it has more than ${limit} bytes`, `name the file of the ${what}`);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    if (cause instanceof LetheError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw refuse(why, `name the file of the ${what}`, cause);
  } finally {
    await file.close();
  }
}

/**
 * Stores a file whole or not at all, whenever the process is killed.
 *
 * @param replace whether it takes the place of one that is there; otherwise that is an error
 * @throws LetheError `write-failed`, or `key-invalid` where there is one and it is not to be replaced.
 */
export async function writeKeyFile(path: string, text: string, mode: number, replace: boolean): Promise<void> {
  const fresh = `${path}.${process.pid}.new`;
  try {
    await rm(fresh, { force: true });
    const file = await open(fresh, 'wx', mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    if (replace) await rename(fresh, path);
    else {
      // Unlike rename, it fails where a file is.
      await link(fresh, path);
      await rm(fresh);
    }
  } catch (cause) {
    await rm(fresh, { force: true }).catch(() => undefined);
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST')
      throw keyInvalid('make the key', path, 'there is a file of this name', 'use it, or name another one', cause);
    throw new LetheError('write-failed', {
      what: 'cannot store the key file',
      where: path,
      why: cause instanceof Error ? cause.message : String(cause),
      next: 'make its folder, and make it writable',
      cause,
    });
  }
}
