import { isPlainText } from '../config/plain-text.ts';
import { LetheError } from '../error/lethe-error.ts';

/** A message that breaks the protocol. */
export function violation(where: string, why: string): LetheError {
  return new LetheError('protocol-violated', {
    what: 'cannot take a message of the fleet',
    where,
    why,
    next: 'run coordinators and workers of one release, or of two that follow each other',
  });
}

/** Names of tasks, workers and subjects: long enough for any, short enough for logs. */
const maxName = 512;

/** A name that a peer gave: one that can be logged. @throws LetheError `protocol-violated` */
export function requireName(value: string, where: string): string {
  if (value.length > 0 && value.length <= maxName && isPlainText(value)) return value;
  throw violation(where, `it is empty, longer than ${maxName} characters, or holds control characters`);
}

/** @throws LetheError `protocol-violated` if a part that must be there is missing. */
export function requirePart<T>(value: T | undefined, where: string): T {
  if (value === undefined) throw violation(where, 'it is missing');
  return value;
}
