import { createHash, timingSafeEqual } from 'node:crypto';
import { LetheError } from '../../shared/error/lethe-error.ts';

/** Whether an `Authorization` header lets its bearer in. */
export type Access = (authorization: string | undefined) => boolean;

/** Everybody may ask. */
export const openAccess: Access = () => true;

const shortest = 16;

/**
 * Lets in who shows one of the keys: `Authorization: Bearer KEY`. All are compared, by their hashes and in constant time, so
 * that the time an answer takes says nothing of them.
 *
 * @param text a key a line; empty lines and those that begin with # are left out
 * @param where the file, for errors
 * @throws LetheError `key-invalid` if there is none, or one is too short to be guessed at.
 */
export function bearerAccess(text: string, where: string): Access {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const keys = lines.filter((line) => line !== '' && !line.startsWith('#'));
  const short = lines.findIndex((line) => keys.includes(line) && line.length < shortest);
  if (short >= 0) throw invalid(`${where}:${short + 1}`, `the key has fewer than ${shortest} characters`);
  if (keys.length === 0) throw invalid(where, 'it holds no key');
  const hashes = keys.map(hashOf);
  return (authorization) => {
    const shown = hashOf(/^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? '');
    return hashes.map((hash) => timingSafeEqual(hash, shown)).includes(true);
  };
}

function hashOf(key: string): Buffer {
  return createHash('sha256').update(key, 'utf8').digest();
}

function invalid(where: string, why: string): LetheError {
  return new LetheError('key-invalid', {
    what: 'cannot read the API keys',
    where,
    why,
    next: 'write a key a line, such as `openssl rand -hex 32` makes',
  });
}
