import type { Lease as QueueLease } from '../../shared/bus/lease.ts';
import { records, unitSubject } from '../../shared/bus/names.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { type Output, unitSize } from '../../shared/unit/unit.ts';
import { readStates } from '../collect/read-states.ts';
import { failureOf } from '../store/stored-json.ts';
import { isRepair } from '../store/verdict.ts';
import { chooseWorker } from './choose-worker.ts';
import type { Dispatch } from './dispatch.ts';
import { judgeAttempts } from './judge-attempts.ts';
import { workloadOf } from './phase-times.ts';
import { queueOf, queuedUnitBytes, type QueuedUnit } from './queued-unit.ts';
import { failUnit, settleAttempt } from './settle-attempt.ts';

/**
 * How long a unit stays out of sight that no worker here can take, or that one has failed: others are asked first, and a
 * worker that fails whatever it is given shows so before it has used up the attempts of one unit.
 */
export const aside = 1_000;
/** A unit that was delivered so often, and of which nothing else is known, kills whoever takes it. */
const mostDeliveries = 50;

/** What became of a unit that the queue delivered. */
export type HandOut = 'leased' | 'attached' | 'settled' | 'returned';

/**
 * Gives a unit that the queue delivered to a worker of this coordinator, unless it is done already or a worker has it still.
 *
 * @throws LetheError `blob-sealed` for a mask that this coordinator cannot open; what NATS and the worker's stream throw: the
 *   lease then ends by itself.
 */
export async function handOut(dispatch: Dispatch, lease: QueueLease, queued: QueuedUnit): Promise<HandOut> {
  const { store, book, leases, log } = dispatch;
  const { queue } = store;
  const { reply, address } = lease;
  const task = unitSubject(address);
  if (leases.attach(task, reply) !== undefined) return 'attached';

  const sites = await openSites(dispatch, queued);
  if (sites.length === 0) {
    await queue.acknowledge(reply);
    return 'settled';
  }
  const attempts = book.attempts(queued.hash);
  const judgement = judgeAttempts(attempts, dispatch.limits);
  const last = attempts.at(-1);
  if (judgement.kind === 'failed' && last !== undefined) {
    await failUnit(store, last, sites, attempts.length);
    await queue.acknowledge(reply);
    return 'settled';
  }
  if (judgement.kind === 'more-memory' && judgement.gib > queued.gib) {
    await moveUp(dispatch, lease, queued, judgement.gib);
    return 'settled';
  }
  if (lease.deliveries > mostDeliveries) {
    const failure = {
      code: 'unit-lost',
      what: 'cannot run the unit',
      where: queued.hash,
      why: `it was handed out ${lease.deliveries} times and nobody came back with it`,
      next: 'look at the logs of workers around that time',
      layer: undefined,
      step: undefined,
    };
    await settleAttempt(
      store,
      book,
      { failed: 1, lost: 1 },
      { unit: queued.hash, worker: 'unknown', kind: 'lost', gib: queued.gib, failure },
      sites,
    );
    await queue.acknowledge(reply);
    return 'settled';
  }

  const blobs = await blobsFor(dispatch, queued);
  if (blobs instanceof LetheError) {
    // Nobody can run it: what it needs was deleted, or is not what it was.
    const failure = failureOf(blobs);
    const attempt = { unit: queued.hash, worker: 'none', kind: 'failed', gib: queued.gib, failure } as const;
    await failUnit(store, attempt, sites, attempts.length + 1);
    await queue.acknowledge(reply);
    return 'settled';
  }
  const candidates = dispatch.workers.all.filter(({ refused }) => !refused.has(task));
  const chosen = chooseWorker(
    candidates,
    queued,
    attempts.map(({ worker }) => worker),
  );
  if (chosen === undefined) {
    await queue.giveBack(reply, aside);
    return 'returned';
  }
  const { worker, connection } = chosen;
  const { campaign } = address;
  const workload = workloadOf(queued);
  leases.hold({ task, campaign, worker, reply, phase: { kind: 'waiting' }, gib: queued.gib, workload });
  const { unit, memory, keepStates } = queued;
  log.debug({ campaign, unit: queued.hash, worker, deliveries: lease.deliveries }, 'lease');
  const deadlines = dispatch.times.deadlines(workload);
  const replySubject = dispatch.tickets.issue(worker, { task, reply, sites, ...unitSize(unit) });
  try {
    await connection.lease(
      { task, campaign, unit, sites, replySubject, deadlines, memory: Math.ceil(memory), keepStates },
      blobs,
    );
  } catch (error) {
    // The worker has gone, or has used its credit otherwise: another one may have the unit at once.
    log.info({ campaign, unit: queued.hash, worker, err: error }, 'cannot lease');
    leases.drop(task);
    await queue.giveBack(reply);
    return 'returned';
  }
  return 'leased';
}

/** The sites without a verdict, as the store has it now: the book may be a moment behind, and a run costs more than a look. */
export async function openSites(
  { store }: Pick<Dispatch, 'store'>,
  { hash, sites }: { readonly hash: string; readonly sites: readonly Output[] },
): Promise<readonly Output[]> {
  const found = await Promise.all(
    sites.map(async (site) => {
      const subject = records.verdict(hash, site);
      const record = await store.records.read(subject);
      return record === undefined || isRepair(record.bytes, subject) ? [site] : [];
    }),
  );
  return found.flat();
}

/** What travels with the lease: where trajectories go on from, or the mask; the error where there is no such mask. */
async function blobsFor(
  dispatch: Dispatch,
  { unit, predecessor, sites }: QueuedUnit,
): Promise<readonly Uint8Array[] | LetheError> {
  if (predecessor !== undefined) return statesBefore(dispatch, predecessor, sites);
  if (unit.kind !== 'image' || unit.mask === undefined) return [];
  try {
    return [await dispatch.masks.read(unit.mask)];
  } catch (error) {
    if (error instanceof LetheError && ['mask-missing', 'mask-invalid'].includes(error.code)) return error;
    throw error;
  }
}

async function statesBefore(
  { store, book }: Dispatch,
  predecessor: string,
  sites: readonly Output[],
): Promise<readonly Uint8Array[]> {
  for (const site of sites) {
    const states = await readStates(store.blobs, book.settled(predecessor, site));
    if (states.length > 0) return states;
  }
  return [];
}

/** Queues a unit in a larger memory class, and takes it out of this one. */
async function moveUp({ store }: Dispatch, lease: QueueLease, queued: QueuedUnit, gib: number): Promise<void> {
  const { address, reply } = lease;
  const { memory } = queueOf(address.campaign, queued.unit.numerics, gib);
  const larger = { ...queued, gib, memory: Math.max(queued.memory, (gib / 2) * 2 ** 30) };
  await store.queue.publish({ ...address, memory }, queuedUnitBytes(larger));
  await store.queue.acknowledge(reply);
}
