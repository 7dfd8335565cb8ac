import { LetheError } from '../error/lethe-error.ts';

/** LetheError `mask-mismatch`. */
export function maskMismatch(where: string, why: string): LetheError {
  return new LetheError('mask-mismatch', {
    what: 'cannot put these masks together',
    where,
    why,
    next: 'sweep the concepts on one checkpoint',
  });
}
