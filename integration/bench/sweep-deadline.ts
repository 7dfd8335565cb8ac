import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LetheError } from '../../shared/error/lethe-error.ts';
import type { Fleet } from '../fleet-processes/fleet.ts';

/**
 * The end of a sweep, or the end of patience with it: a fleet that hangs would keep the bench for ever.
 *
 * @param sweep in words: `10 styles by 2 workers`
 * @throws LetheError `fleet-failed` after `ms`; the logs so far are written to a new folder, which it names.
 */
export async function withinTime<T>(work: Promise<T>, sweep: string, fleet: Fleet, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => {
      resolve('late');
    }, ms);
  });
  try {
    const first = await Promise.race([work.then((value) => ({ value })), late]);
    if (first !== 'late') return first.value;
  } finally {
    clearTimeout(timer);
  }
  // It will fail when the fleet is stopped, and nobody waits for it any more.
  work.catch(() => undefined);
  const logs = await mkdtemp(join(tmpdir(), 'lethe-bench-logs-'));
  await fleet.saveLogs(logs);
  throw new LetheError('fleet-failed', {
    what: `the sweep of ${sweep} does not end`,
    where: logs,
    why: `it is not done after ${Math.round(ms / 1000)} s`,
    next: 'read the logs in that folder: what the coordinator leased last, and what became of it',
  });
}
