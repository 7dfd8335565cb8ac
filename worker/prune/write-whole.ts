import type { FileHandle } from 'node:fs/promises';

/** Writes all of `bytes` from `begin` on: one write may take fewer. */
export async function writeWhole(
  file: { write: (bytes: Uint8Array, offset: number, length: number, position: number) => Promise<Written> },
  bytes: Uint8Array,
  begin: number,
): Promise<void> {
  for (let at = 0; at < bytes.length;) at += (await file.write(bytes, at, bytes.length - at, begin + at)).bytesWritten;
}

type Written = Pick<Awaited<ReturnType<FileHandle['write']>>, 'bytesWritten'>;
