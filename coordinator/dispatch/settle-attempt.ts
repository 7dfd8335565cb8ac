import { randomUUID } from 'node:crypto';
import { records } from '../../shared/bus/names.ts';
import type { Output } from '../../shared/unit/unit.ts';
import type { Attempt } from '../store/attempt.ts';
import type { RecordBook } from '../store/record-book.ts';
import type { Store } from '../store/store.ts';
import { encodeStored } from '../store/stored-json.ts';
import type { FailedVerdict } from '../store/verdict.ts';
import { type AttemptLimits, judgeAttempts, type Judgement, suspendAfter, unitsAgainst } from './judge-attempts.ts';

/**
 * Notes an attempt that gave no result, and what follows from it: the verdict that the unit has failed, the suspension of
 * its worker.
 *
 * @param sites of the unit that have no result yet
 */
export async function settleAttempt(
  store: Store,
  book: RecordBook,
  limits: AttemptLimits,
  attempt: Attempt,
  sites: readonly Output[],
): Promise<Judgement> {
  const { unit, worker } = attempt;
  const before = book.attempts(unit);
  await store.records.offer(records.attempt(unit, randomUUID()), encodeStored(attempt));
  const judgement = judgeAttempts([...before, attempt], limits);
  if (judgement.kind === 'failed') await failUnit(store, attempt, sites, before.length + 1);
  const units = unitsAgainst(worker, [...book.allAttempts(), attempt]);
  if (units.length >= suspendAfter) {
    const reason = `it failed ${units.length} units that no other worker has failed: ${attempt.failure.what}: ${attempt.failure.why}`;
    await store.records.offer(records.suspension(worker), encodeStored({ worker, reason, units }));
  }
  return judgement;
}

/** Ends a unit as failed, with the failure of its last attempt, for the sites that have no result. */
export async function failUnit(
  store: Store,
  { unit, failure }: Attempt,
  sites: readonly Output[],
  attempts: number,
): Promise<void> {
  for (const site of sites) {
    const verdict: FailedVerdict = { kind: 'failed', unit, site, failure, attempts };
    await store.records.offer(records.verdict(unit, site), encodeStored(verdict));
  }
}
