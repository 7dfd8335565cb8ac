import { LetheError } from '../../shared/error/lethe-error.ts';
import type { ServingRow } from '../fleet/await-serving.ts';
import { duration } from './figures.ts';
import { table } from './table.ts';

/** A row a process that serves: name, version, seconds. */
export function servingText(rows: readonly ServingRow[]): string {
  if (rows.length === 0) return 'no process serves this checkpoint now; those that come will serve by this';
  const cells = rows.map(({ process, version, seconds, state, reason }) => [
    process,
    version === undefined ? '-' : String(version),
    state === 'serving' && seconds !== undefined ? duration(seconds) : '-',
    reason === undefined ? state : `${state} (${reason})`,
  ]);
  return table([['process', 'version', 'after', 'state'], ...cells]);
}

/** LetheError `serving-behind` naming who has not taken the change over; undefined if all have. */
export function servingBehind(where: string, rows: readonly ServingRow[], seconds: number): LetheError | undefined {
  const missing = rows.filter(({ state }) => state !== 'serving');
  if (missing.length === 0) return undefined;
  const named = missing.map(({ process, state, reason }) => `${process} (${reason ?? state})`).join(', ');
  return new LetheError('serving-behind', {
    what: `${missing.length} of ${rows.length} serving processes have not taken the change over`,
    where,
    why: `after ${seconds} s these still serve by what was before: ${named}`,
    next: 'the change stands, and they take it over when they can: look at their logs, or take them out of service',
  });
}
