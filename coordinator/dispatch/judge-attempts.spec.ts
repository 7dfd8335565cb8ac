import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Attempt } from '../store/attempt.ts';
import { defaultLimits, judgeAttempts, suspendAfter, unitsAgainst } from './judge-attempts.ts';

const attempt = (kind: Attempt['kind'], code = 'session-failed', more: Partial<Attempt> = {}): Attempt => ({
  unit: 'a'.repeat(64),
  worker: 'w1',
  kind,
  gib: 2,
  failure: { code, what: 'what', where: '', why: 'why', next: 'next' },
  ...more,
});
const starved = (gib: number) =>
  attempt('failed', 'session-failed', {
    gib,
    failure: { code: 'session-failed', what: 'w', where: '', why: 'CUDA: out of memory', next: 'n' },
  });
const judge = (...attempts: readonly Attempt[]) => judgeAttempts(attempts, defaultLimits);

describe('judgeAttempts', () => {
  it('gives a unit three attempts', () => {
    expect(judge()).toEqual({ kind: 'again' });
    expect(judge(attempt('failed'), attempt('failed'))).toEqual({ kind: 'again' });
    expect(judge(attempt('failed'), attempt('failed'), attempt('failed'))).toEqual({ kind: 'failed' });
  });

  it('counts lost leases apart, and allows more of them', () => {
    const lost = new Array<Attempt>(9).fill(attempt('lost', 'unit-lost'));
    expect(judge(...lost, attempt('failed'), attempt('failed'))).toEqual({ kind: 'again' });
    expect(judge(...lost, attempt('lost', 'unit-lost'))).toEqual({ kind: 'failed' });
  });

  it('ends a unit at once whose activations are not finite', () => {
    expect(judge(attempt('failed', 'non-finite'))).toEqual({ kind: 'failed' });
  });

  it('moves a unit that is out of memory to the next class, which is no failure of it', () => {
    expect(judge(starved(2))).toEqual({ kind: 'more-memory', gib: 4 });
    expect(judge(starved(2), starved(4))).toEqual({ kind: 'more-memory', gib: 8 });
    expect(judge(attempt('failed'), attempt('failed'), starved(2))).toEqual({ kind: 'more-memory', gib: 4 });
    expect(judge(starved(2), starved(4), starved(8))).toEqual({ kind: 'failed' });
  });

  it('never takes a verdict back, and comes to one after finitely many attempts', () => {
    const any = fc.oneof(
      fc.constantFrom(attempt('failed'), attempt('lost', 'unit-lost'), attempt('failed', 'non-finite')),
      fc.nat(4).map((power) => starved(2 ** power)),
    );
    fc.assert(
      fc.property(fc.array(any, { maxLength: 40 }), (attempts) => {
        const failedAt = attempts.map((_, i) => judge(...attempts.slice(0, i + 1)).kind === 'failed').indexOf(true);
        if (failedAt >= 0) expect(judge(...attempts)).toEqual({ kind: 'failed' });
        const { failed, lost } = defaultLimits;
        if (attempts.length > 2 * (failed - 1) + lost - 1) expect(failedAt).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe('unitsAgainst', () => {
  const of = (worker: string, unit: number, code?: string) =>
    attempt('failed', code, { worker, unit: String(unit).repeat(64) });

  it('counts different units that a worker failed and no other', () => {
    const own = [of('w1', 1), of('w1', 1), of('w1', 2), of('w1', 3)];
    expect(unitsAgainst('w1', own)).toHaveLength(suspendAfter);
    expect(unitsAgainst('w1', [...own, of('w2', 3)])).toHaveLength(suspendAfter - 1);
    expect(unitsAgainst('w2', own)).toEqual([]);
  });

  it('holds neither lost leases nor what no worker is spared against it', () => {
    const attempts = [
      attempt('lost', 'unit-lost'),
      of('w1', 1, 'non-finite'),
      attempt('failed', 'session-failed', { failure: starved(2).failure }),
    ];
    expect(unitsAgainst('w1', attempts)).toEqual([]);
  });
});
