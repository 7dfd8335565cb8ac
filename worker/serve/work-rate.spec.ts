import { describe, expect, it } from 'vitest';
import { WorkRate } from './work-rate.ts';

describe('the rate of work', () => {
  it('is what the first batch took for an image, and follows those after it', () => {
    const rate = new WorkRate();
    expect(rate.seconds(4)).toBe(4);
    rate.add(2, 6);
    expect(rate.seconds(3)).toBe(9);
    // 0.3 · 1 s + 0.7 · 3 s an image.
    rate.add(1, 1);
    expect(rate.seconds(10)).toBe(24);
  });

  it('never says less than a second, nor more than ten minutes', () => {
    const rate = new WorkRate();
    rate.add(1, 0.001);
    expect([rate.seconds(0), rate.seconds(1)]).toEqual([1, 1]);
    rate.add(1, 1e6);
    expect(rate.seconds(1)).toBe(600);
  });
});
