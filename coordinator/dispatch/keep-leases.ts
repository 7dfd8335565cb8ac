import { type Dispatch } from './dispatch.ts';
import { openSites } from './hand-out.ts';
import type { Clock } from './clock.ts';
import type { HeldLease } from './lease-table.ts';
import { settleAttempt } from './settle-attempt.ts';
import { parseUnitSubject } from '../../shared/bus/names.ts';
import type { Output } from '../../shared/unit/unit.ts';

/**
 * Renews the leases of workers that are inside their deadlines, and gives up the others: once, to be called every third of
 * a lease.
 *
 * @param sitesOf sites that a task is wanted for
 */
export async function keepLeases(
  dispatch: Dispatch,
  clock: Clock,
  sitesOf: (task: string) => readonly Output[],
): Promise<void> {
  const { store, leases, workers, times, log } = dispatch;
  await Promise.all(
    leases.duties().map(async ({ kind, lease }) => {
      const { task, worker, campaign, reply } = lease;
      if (kind === 'renew') {
        const at = clock.now();
        if ((await store.queue.renew(reply)) === 'done') leases.renewed(task, at);
        else {
          leases.drop(task);
          workers.get(worker)?.cancel(task, 'its campaign is over');
        }
        return;
      }
      if (kind === 'leave') return;
      leases.drop(task);
      times.gaveUp(lease.workload, lease.phase.kind, clock.now() - lease.since);
      const why = `it is past the deadline of its phase, ${lease.phase.kind}`;
      log.warn({ campaign, task, worker, phase: lease.phase.kind }, 'a task is past its deadline');
      workers.get(worker)?.cancel(task, why);
      await noteLost(dispatch, lease, why, sitesOf(task));
    }),
  );
}

/** Notes that a worker had a unit and did not come back with it. The lease is left to end by itself. */
export async function noteLost(
  dispatch: Dispatch,
  lease: HeldLease,
  why: string,
  wanted: readonly Output[],
): Promise<void> {
  const { store, book, limits } = dispatch;
  const unit = parseUnitSubject(lease.task)?.unit;
  if (unit === undefined) return;
  const sites = await openSites(dispatch, { hash: unit, sites: wanted });
  if (sites.length === 0) return;
  dispatch.observer.onAttempt('lost');
  const failure = {
    code: 'unit-lost',
    what: 'a worker did not come back with the unit',
    where: lease.worker,
    why,
    next: 'look at the log of that worker',
    layer: undefined,
    step: undefined,
  };
  await settleAttempt(
    store,
    book,
    limits,
    { unit, worker: lease.worker, kind: 'lost', gib: lease.gib, failure },
    sites,
  );
}
