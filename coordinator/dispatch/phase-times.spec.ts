import { describe, expect, it } from 'vitest';
import { Deadlines } from '../../gen/fleet/v1/work.ts';
import { PhaseTimes } from './phase-times.ts';

describe('PhaseTimes', () => {
  it('gives deadlines that a lease can carry, whatever phases took', () => {
    for (const ms of [0, 0.25, 4892.910734, 2 ** 40, Infinity]) {
      const times = new PhaseTimes();
      times.took('step', ms);
      times.took('loading', ms);
      const { deadlines } = times;
      expect(Deadlines.decode(Deadlines.encode(deadlines).finish())).toEqual(deadlines);
    }
  });

  it('follows the longest that a phase took, and never falls below what every phase is given', () => {
    const times = new PhaseTimes();
    const before = times.deadlines.step;
    times.took('step', 12.5);
    expect(times.deadlines.step).toBeLessThan(before);
    times.took('step', 2000.5);
    times.took('step', 3);
    expect(times.deadlines).toMatchObject({ step: 20_005 });
  });
});
