import { LetheError } from '../error/lethe-error.ts';

/**
 * JSON with sorted keys and no white space (RFC 8785): equal values give equal text, different ones different text. An
 * absent member and one that is `undefined` are the same.
 *
 * @throws LetheError `not-canonical` for what JSON has no word for (NaN, bigint, undefined in a list, half a surrogate
 *   pair) and for objects that are no plain data, which would lose their contents.
 */
export function canonicalJson(value: unknown): string {
  return textOf(value, '');
}

function textOf(value: unknown, path: string): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') {
    if (/\p{Surrogate}/u.test(value)) throw refusal(path, 'a text with half a surrogate pair');
    return JSON.stringify(value);
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw refusal(path, String(value));
    return JSON.stringify(value);
  }
  // Array.from: map would pass over what is not there, and leave no trace of it.
  if (Array.isArray(value)) return `[${Array.from(value, (item, i) => textOf(item, `${path}[${i}]`)).join(',')}]`;
  if (typeof value !== 'object') throw refusal(path, `a value of type ${typeof value}`);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw refusal(path, 'an object that is no plain data');
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${textOf(key, path)}:${textOf(member, `${path}.${key}`)}`);
  return `{${members.join(',')}}`;
}

function refusal(path: string, found: string): LetheError {
  return new LetheError('not-canonical', {
    what: 'cannot hash the value',
    where: path === '' ? 'the value itself' : path,
    why: `it is ${found}, for which there is no canonical JSON`,
    next: 'report it: a part of Lethe made a value that it cannot name',
  });
}
