import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { goldenInvalid } from './golden-file.ts';

/**
 * The checkpoint that vectors are of: `checkpoint/` beside them, or where `checkpoint.path` says, a text file with a
 * path relative to the vectors. A file and not a link: a clone on Windows has no links.
 *
 * @throws LetheError `golden-invalid` if there is neither.
 */
export async function checkpointOf(directory: string): Promise<string> {
  const own = join(directory, 'checkpoint');
  const isThere = await stat(own).then(
    () => true,
    () => false,
  );
  if (isThere) return own;
  const pointer = await readFile(join(directory, 'checkpoint.path'), 'utf8').catch((cause: unknown) => {
    throw goldenInvalid(
      directory,
      'there is neither checkpoint/ nor checkpoint.path beside goldens.safetensors',
      cause,
    );
  });
  return resolve(directory, pointer.trim());
}
