import { describe, expect, it } from 'vitest';
import { median, medianRatio, timePaired } from './paired.ts';

describe('timePaired', () => {
  it('lets subjects take turns and counts only what comes after the warm-up', async () => {
    let now = 0;
    const order: string[] = [];
    const subject = (name: string, ms: number) => () => {
      order.push(name);
      now += ms;
      return Promise.resolve();
    };
    const seconds = await timePaired([subject('a', 1000), subject('b', 3000)], 2, 1, () => now);
    expect(order.join('')).toBe('baabba');
    expect(seconds).toEqual([
      [1, 1],
      [3, 3],
    ]);
  });
});

describe('median', () => {
  it('is the middle value, or the mean of the two in the middle', () => {
    expect(median([9, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 9])).toBe(3);
    expect(median([])).toBeNaN();
  });

  it('takes ratios within a round', () => {
    expect(medianRatio([2, 20, 200], [1, 10, 50])).toBe(2);
  });
});
