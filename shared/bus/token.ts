import { LetheError } from '../error/lethe-error.ts';

/** Three tokens make the name of a consumer, which is a folder of the server: at most 255 bytes. */
const longest = 80;

/**
 * One token of a subject, from any text: lower-case ASCII letters, digits and `-` stay, every other byte of its UTF-8 form
 * becomes `_` and two hex digits. No two texts give the same token, also where file names ignore case.
 *
 * @throws LetheError `name-invalid` if the text is empty, not well-formed, or its token is longer than 80 bytes.
 */
export function encodeToken(text: string, what: string): string {
  const bytes = Buffer.from(text, 'utf8');
  if (text === '') throw invalid(what, text, 'it is empty');
  if (bytes.toString('utf8') !== text) throw invalid(what, text, 'it holds half of a surrogate pair');
  const token = Array.from(bytes, (byte) => {
    const char = String.fromCharCode(byte);
    return /[a-z0-9-]/.test(char) ? char : `_${byte.toString(16).padStart(2, '0')}`;
  }).join('');
  if (token.length > longest)
    throw invalid(
      what,
      text,
      `it takes ${token.length} bytes in a subject, and ${longest} are the limit (a character other than a-z, 0-9 and - takes 3 or more)`,
    );
  return token;
}

/** The text that `encodeToken` made this token of; undefined if it made no such token. */
export function decodeToken(token: string): string | undefined {
  if (!/^(?:[a-z0-9-]|_[0-9a-f]{2})+$/.test(token)) return undefined;
  const bytes = Buffer.from(
    token.replace(/_(..)|([^_])/g, (_, hex: string | undefined, char: string | undefined) =>
      char === undefined ? (hex ?? '') : char.charCodeAt(0).toString(16),
    ),
    'hex',
  );
  const text = bytes.toString('utf8');
  // What encodes to something else was not made here: `_61` for an `a`, bytes that are no UTF-8.
  const again = Array.from(Buffer.from(text, 'utf8')).join() === Array.from(bytes).join();
  return again && token.length <= longest && encodeToken(text, 'token') === token ? text : undefined;
}

/** A SHA-256 in hex as a token. */
export function hashToken(hash: string, what: string): string {
  if (!/^[0-9a-f]{64}$/.test(hash)) throw invalid(`hash of a ${what}`, hash, 'it is not 64 lower-case hex digits');
  return hash;
}

function invalid(what: string, text: string, why: string): LetheError {
  return new LetheError('name-invalid', {
    what: `cannot use this ${what} as a name`,
    where: JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text),
    why,
    next: 'choose a short name of lower-case letters, digits and -',
  });
}
