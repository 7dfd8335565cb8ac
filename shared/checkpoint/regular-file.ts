import { constants } from 'node:fs';
import { type FileHandle, open, readlink } from 'node:fs/promises';
import { LetheError } from '../error/lethe-error.ts';

/** Node refuses reads of 2 GiB and more in one call. */
const readLimit = 2 ** 30;

/**
 * Opens the regular file at `path` for `use` and closes it. What the system refuses, and a path to anything but a
 * regular file, becomes the error that `refuse` makes of the reason.
 */
export async function withRegularFile<T>(
  path: string,
  refuse: (why: string, cause?: unknown) => LetheError,
  use: (file: FileHandle, size: number) => Promise<T>,
): Promise<T> {
  try {
    // Opening a named pipe would wait for a writer otherwise; asked of what was opened, which nobody can exchange.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const found = await file.stat();
      if (!found.isFile()) throw refuse('it is not a regular file');
      return await use(file, found.size);
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof LetheError) throw cause;
    const target = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? await readlink(path).catch(() => '') : '';
    if (target !== '') throw refuse(danglingLink(target), cause);
    throw refuse(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** Why a link to `target` cannot be followed: caches of hubs hold links, and an interrupted download lacks what they lead to. */
export function danglingLink(target: string): string {
  return `it is a link to ${target}, which is not there: a download that was not finished`;
}

/** The bytes of a regular file of at most `limit`, which is looked at before any are read. */
export function readRegularFile(
  path: string,
  limit: number,
  refuse: (why: string, cause?: unknown) => LetheError,
): Promise<Uint8Array<ArrayBuffer>> {
  return withRegularFile(path, refuse, (file, size) => readLimited(file, size, limit, refuse));
}

/** Reads an open file of `size` bytes whole. */
export async function readLimited(
  file: FileHandle,
  size: number,
  limit: number,
  refuse: (why: string) => LetheError,
): Promise<Uint8Array<ArrayBuffer>> {
  if (size > limit) throw refuse(`it has ${size} bytes; at most ${limit} are read`);
  // One more: a file of /proc says that it has none, and one that grows has more by now.
  const bytes = await readSpan(file, 0, limit + 1);
  if (bytes.length > limit) throw refuse(`it has more than ${limit} bytes`);
  return bytes;
}

/** Reads `length` bytes from `begin`; fewer only where the file ends before. */
export async function readSpan(file: FileHandle, begin: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, Math.min(length - filled, readLimit), begin + filled);
    if (bytesRead === 0) return bytes.subarray(0, filled);
    filled += bytesRead;
  }
  return bytes;
}
