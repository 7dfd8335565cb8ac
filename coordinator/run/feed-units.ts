import type { Logger } from 'pino';
import type { LetheError } from '../../shared/error/lethe-error.ts';
import type { PullLoop } from '../dispatch/pull-loop.ts';
import { QueueFeed } from '../dispatch/queue-feed.ts';
import type { UnitPlan } from '../plan/plan.ts';
import type { RecordBook } from '../store/record-book.ts';
import type { Store } from '../store/store.ts';
import { errorOf, failureOf } from '../store/stored-json.ts';
import type { Wake } from '../store/wake.ts';

/** Milliseconds without news after which the queue is looked at. */
const auditMs = 30_000;
/** Milliseconds after which what failed for a reason outside is tried again. */
const againMs = 5_000;

/** What queueing works with. */
export interface FeedTools {
  readonly store: Pick<Store, 'queue'>;
  readonly book: RecordBook;
  readonly puller: PullLoop;
  readonly log: Logger;
}

/**
 * Queues what of a campaign's units can run, and has them pulled, until the signal.
 *
 * @param wake rung when records have changed
 * @param onTrouble is told what stands in the way, and when nothing does any more
 */
export async function feedUnits(
  campaign: string,
  plan: UnitPlan,
  { store, book, puller, log }: FeedTools,
  wake: Wake,
  onTrouble: (trouble: LetheError | undefined) => void,
  signal: AbortSignal,
): Promise<void> {
  const feed = new QueueFeed(campaign, plan, store.queue, book);
  const { checkpoint, numerics, graph, units } = plan;
  const kind = units[0]?.unit.kind ?? 'denoise';
  const queueAgain = (unit: string): void => {
    feed.forget(unit);
    wake.ring();
  };
  try {
    while (!signal.aborted) {
      try {
        const { classes } = await feed.advance(signal);
        onTrouble(undefined);
        puller.set({ campaign, kind, checkpoint, numerics, graph, classes, queueAgain });
        if (!(await wake.wait(signal, auditMs))) await feed.audit();
      } catch (error) {
        onTrouble(errorOf(failureOf(error)));
        log.warn({ campaign, err: error }, 'cannot queue units');
        await wake.wait(signal, againMs);
      }
    }
  } finally {
    puller.remove(campaign);
  }
}
