import { link, open, rename, rm } from 'node:fs/promises';
import { LetheError } from '../error/lethe-error.ts';
import { readLimited, withRegularFile } from '../checkpoint/regular-file.ts';
import { textOf } from '../checkpoint/text-file.ts';

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
  const named = `name the file of the ${what}`;
  const refuse = (why: string, cause?: unknown, place = '', next = named) =>
    keyInvalid(`read the ${what}`, `${path}${place}`, why, next, cause);
  const unopened = (why: string, cause?: unknown) =>
    refuse(why, cause, '', cause === undefined ? named : `${named}; \`lethe keys create\` makes one`);
  return withRegularFile(path, unopened, async (file, size) => {
    const { mode } = await file.stat();
    const others = mode & (access === 'secret' ? 0o077 : 0o022);
    // Windows has no such modes.
    if (others !== 0 && process.platform !== 'win32')
      throw refuse(
        `its mode is ${(mode & 0o777).toString(8).padStart(4, '0')}: others than its owner may ${access === 'secret' ? 'use' : 'change'} it`,
        undefined,
        '',
        access === 'secret' ? `chmod 600 ${path}; if others had access, make another one` : `chmod go-w ${path}`,
      );
    return textOf(await readLimited(file, size, limit, refuse), 'refused', refuse);
  });
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
