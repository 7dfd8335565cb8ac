import { describe, expect, it } from 'vitest';
import { Deadlines } from '../../gen/fleet/v1/work.ts';
import { defaultLimits } from './judge-attempts.ts';
import { PhaseTimes, workloadOf } from './phase-times.ts';

describe('PhaseTimes', () => {
  it('gives deadlines that a lease can carry, whatever phases took', () => {
    for (const ms of [0, 0.25, 4892.910734, 2 ** 40, Infinity]) {
      const times = new PhaseTimes();
      times.took('w', 'step', ms);
      times.took('w', 'loading', ms);
      times.gaveUp('w', 'encoding', ms);
      const deadlines = times.deadlines('w');
      expect(Deadlines.decode(Deadlines.encode(deadlines).finish())).toEqual(deadlines);
    }
  });

  it('follows the longest that a phase took, and never falls below what every phase is given', () => {
    const times = new PhaseTimes();
    const before = times.deadlines('w').step;
    times.took('w', 'step', 12.5);
    expect(times.deadlines('w').step).toBeLessThan(before);
    times.took('w', 'step', 2000.5);
    times.took('w', 'step', 3);
    expect(times.deadlines('w')).toMatchObject({ step: 20_005 });
  });

  it('gives what nobody has seen a long time, and what was seen a multiple of the longest', () => {
    const times = new PhaseTimes();
    expect(times.deadlines('w').step).toBe(300_000);
    for (const ms of [4_000, 2_000]) times.took('w', 'step', ms);
    expect(times.deadlines('w').step).toBe(40_000);
    times.took('w', 'loading', 1);
    expect(times.deadlines('w').loading).toBe(30_000);
    times.took('w', 'waiting', 1e9);
    expect(times.deadlines('w')).toEqual({ loading: 30_000, encoding: 120_000, step: 40_000, decoding: 300_000 });
  });

  it('learns nothing of one checkpoint, kind, numerics class or memory class from another', () => {
    const times = new PhaseTimes();
    const common = { checkpoint: 'small', numerics: 'cpu', graph: '1' };
    const unit = { kind: 'encode', ...common, prompts: ['a cat'] } as const;
    const sampling = { scheduler: 'pndm', steps: 1, guidance: 1, height: 8, width: 8 };
    const others = [
      workloadOf({ unit: { ...unit, checkpoint: 'large' }, gib: 1 }),
      workloadOf({ unit: { ...common, kind: 'image', sampling, trajectories: [] }, gib: 1 }),
      workloadOf({ unit: { ...unit, numerics: 'cuda' }, gib: 1 }),
      workloadOf({ unit, gib: 2 }),
      undefined,
    ];
    times.took(workloadOf({ unit, gib: 1 }), 'step', 1);
    expect(times.deadlines(workloadOf({ unit, gib: 1 })).step).toBe(10_000);
    times.took(undefined, 'step', 1);
    expect(others.map((other) => times.deadlines(other).step)).toEqual(others.map(() => 300_000));
  });

  it.each([12_000, 100_000, 1_000_000])('reaches a step of %i ms before the lost leases of a unit end it', (step) => {
    const times = new PhaseTimes();
    times.took('w', 'step', 1);
    let lost = 0;
    for (; times.deadlines('w').step < step; lost++) times.gaveUp('w', 'step', times.deadlines('w').step + 1);
    expect(lost).toBeLessThan(defaultLimits.lost);
  });
});
