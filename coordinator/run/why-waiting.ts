import { LetheError } from '../../shared/error/lethe-error.ts';
import type { CampaignState } from '../api/campaign-service.ts';
import type { Need } from '../dispatch/choose-worker.ts';
import { defaultLimits, judgeAttempts } from '../dispatch/judge-attempts.ts';
import { leftOut, type Listed } from '../dispatch/left-out.ts';
import { unitState } from '../dispatch/ready-units.ts';
import type { UnitPlan } from '../plan/plan.ts';
import type { RecordBook } from '../store/record-book.ts';
import { pinnedClass } from './plan-entry.ts';

/** Workers that a message names; `lethe workers` lists all. */
const named = 5;

type Waiting = Pick<CampaignState, 'waiting' | 'leftOut'>;

/** A campaign that cannot go on because NATS is not there. */
export function natsAway(campaign: string): LetheError {
  return new LetheError('bus-unavailable', {
    what: 'the campaign waits for NATS',
    where: campaign,
    why: 'it does not answer',
    next: 'look whether it runs; workers keep what they have finished, and the campaign goes on when it is back',
  });
}

/**
 * Whether a campaign of which nothing is leased waits for a worker, and what speaks against each that is connected here.
 * Other coordinators may have better ones: then something is leased soon.
 */
export function waitingForWorker(
  coordinator: string,
  campaign: string,
  plan: UnitPlan,
  book: Pick<RecordBook, 'settled' | 'attempts'>,
  workers: readonly Listed[],
): Waiting {
  const need = leastNeed(plan, book);
  if (need === undefined) return { waiting: undefined, leftOut: [] };
  const left = leftOut(workers, need);
  if (left.length < workers.length) return { waiting: undefined, leftOut: [] };
  const reasons = left.slice(0, named).map(({ worker, reason }) => `${worker}: ${reason}`);
  const more = left.length > named ? [`and ${left.length - named} more`] : [];
  const waiting = new LetheError('worker-missing', {
    what: 'the campaign waits for a worker',
    where: campaign,
    why:
      left.length === 0
        ? `no worker is connected to coordinator ${coordinator}`
        : `no worker of coordinator ${coordinator} can run what is left: ${[...reasons, ...more].join('; ')}`,
    next: `start a worker with --checkpoint and the directory of checkpoint ${plan.checkpoint}; the campaign goes on when one comes`,
  });
  return { waiting, leftOut: left };
}

/** What a worker has to have for the unit that could run now and needs least; undefined if there is none. */
function leastNeed(plan: UnitPlan, book: Pick<RecordBook, 'settled' | 'attempts'>): Need | undefined {
  const memory = plan.units.flatMap((unit) => {
    if (unitState(unit, (hash, site) => book.settled(hash, site)).kind !== 'ready') return [];
    const judgement = judgeAttempts(book.attempts(unit.hash), defaultLimits);
    return Math.max(unit.memory.bytes, judgement.kind === 'more-memory' ? (judgement.gib / 2) * 2 ** 30 : 0);
  });
  if (memory.length === 0) return undefined;
  const { checkpoint, graph, units } = plan;
  const kind = units[0]?.unit.kind ?? 'denoise';
  const least = memory.reduce((a, b) => Math.min(a, b));
  return { memory: least, unit: { kind, checkpoint, graph, numerics: pinnedClass(plan) } };
}
