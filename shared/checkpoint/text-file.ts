import type { LetheError } from '../error/lethe-error.ts';
import { readRegularFile } from './regular-file.ts';

/** How a text that others wrote is read. */
export interface TextRules {
  /** Bytes at most: looked at before any are read. */
  readonly limit: number;
  /** What becomes of a byte order mark at the start: JSON and merges may have none, YAML may. */
  readonly byteOrderMark: 'refused' | 'dropped';
}

/** How a Git LFS pointer begins (git-lfs/docs/spec.md): what a clone without `git lfs pull` has in the place of a file. */
export const lfsPointer = 'version https://git-lfs.github.com/spec/';

/**
 * The text of a file from outside: a regular file of no more than so many bytes, in UTF-8. Anything else is refused by its
 * cause: a link whose target is missing, a Git LFS pointer, a byte order mark, the line of the first byte that is no UTF-8.
 *
 * @param refuse makes the error of a reason; `place` is `:LINE` where a line is at fault
 */
export async function readTextFile(
  path: string,
  { limit, byteOrderMark }: TextRules,
  refuse: (why: string, cause?: unknown, place?: string) => LetheError,
): Promise<string> {
  return textOf(await readRegularFile(path, limit, refuse), byteOrderMark, refuse);
}

/** The text that the bytes of a file are, by the same rules. */
export function textOf(
  bytes: Uint8Array,
  byteOrderMark: TextRules['byteOrderMark'],
  refuse: (why: string, cause?: unknown, place?: string) => LetheError,
): string {
  const text = decode(bytes, refuse);
  if (text.startsWith(lfsPointer))
    throw refuse('it is a Git LFS pointer, not the file itself: run `git lfs pull` in the checkout it came from');
  if (!text.startsWith('\ufeff')) return text;
  if (byteOrderMark === 'dropped') return text.slice(1);
  throw refuse('it begins with a byte order mark: save it as UTF-8 without one');
}

function decode(bytes: Uint8Array, refuse: (why: string, cause?: unknown, place?: string) => LetheError): string {
  try {
    return strictly().decode(bytes);
  } catch (cause) {
    // No byte of a longer sequence is a line feed, so lines can be looked at one by one.
    let line = 1;
    for (let from = 0; from <= bytes.length; line += 1) {
      const end = bytes.indexOf(0x0a, from);
      const to = end < 0 ? bytes.length : end;
      if (!isUtf8(bytes.subarray(from, to))) break;
      from = to + 1;
    }
    throw refuse(`line ${line} is not UTF-8: save the file in that encoding`, cause, `:${line}`);
  }
}

const strictly = () => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function isUtf8(bytes: Uint8Array): boolean {
  try {
    strictly().decode(bytes);
    return true;
  } catch {
    return false;
  }
}
