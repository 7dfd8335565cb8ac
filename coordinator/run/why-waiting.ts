import { LetheError } from '../../shared/error/lethe-error.ts';
import type { CampaignState } from '../api/campaign-service.ts';
import { parseUnitSubject } from '../../shared/bus/names.ts';
import type { Need } from '../dispatch/choose-worker.ts';
import { defaultLimits, judgeAttempts } from '../dispatch/judge-attempts.ts';
import { type LeftOut, leftOut, type Listed } from '../dispatch/left-out.ts';
import { unitState } from '../dispatch/ready-units.ts';
import type { UnitPlan } from '../plan/plan.ts';
import type { Session } from '../dispatch/worker-book.ts';
import type { RecordBook } from '../store/record-book.ts';
import { pinnedClass } from './plan-entry.ts';

/** Workers that a message names; `lethe workers` lists all. */
const named = 5;

type Waiting = Pick<CampaignState, 'waiting' | 'leftOut'>;

/** A worker, with the tasks that it is not offered again. */
export type AskedWorker = Listed & Pick<Session, 'refused'>;

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
  workers: readonly AskedWorker[],
): Waiting {
  const ready = readyUnits(plan, book);
  if (ready.length === 0) return { waiting: undefined, leftOut: [] };
  const need = leastNeed(plan, ready);
  const left = workers.flatMap((worker) => leftOut([worker], need)[0] ?? refusal(worker, campaign, ready) ?? []);
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

/** A unit that could run now. */
interface ReadyUnit {
  readonly hash: string;
  /** Bytes. */
  readonly memory: number;
}

function readyUnits(plan: UnitPlan, book: Pick<RecordBook, 'settled' | 'attempts'>): readonly ReadyUnit[] {
  return plan.units.flatMap((unit) => {
    const { hash } = unit;
    if (unitState(unit, (each, site) => book.settled(each, site)).kind !== 'ready') return [];
    const judgement = judgeAttempts(book.attempts(hash), defaultLimits);
    const grown = judgement.kind === 'more-memory' ? (judgement.gib / 2) * 2 ** 30 : 0;
    return [{ hash, memory: Math.max(unit.memory.bytes, grown) }];
  });
}

/** What a worker has to have for the unit that needs least. */
function leastNeed(plan: UnitPlan, ready: readonly ReadyUnit[]): Need {
  const { checkpoint, graph, units } = plan;
  const kind = units[0]?.unit.kind ?? 'denoise';
  const memory = ready.reduce((least, unit) => Math.min(least, unit.memory), Infinity);
  return { memory, unit: { kind, checkpoint, graph, numerics: pinnedClass(plan) } };
}

/** A worker that gave back every unit it has the memory for. */
function refusal(
  { worker, capabilities, refused }: AskedWorker,
  campaign: string,
  ready: readonly ReadyUnit[],
): LeftOut | undefined {
  if (refused.size === 0) return undefined;
  const reasons = new Map<string, string>();
  for (const [task, reason] of refused) {
    const address = parseUnitSubject(task);
    if (address?.campaign === campaign) reasons.set(address.unit, reason);
  }
  const able = ready.filter(({ memory }) => memory <= capabilities.memory);
  const [reason] = able.map(({ hash }) => reasons.get(hash));
  if (reason === undefined || !able.every(({ hash }) => reasons.has(hash))) return undefined;
  return { worker, reason: `it gave back what is left, and is not offered it again: ${reason}` };
}
