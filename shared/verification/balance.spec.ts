import { describe, expect, it } from 'vitest';
import { judgeBalance, measureBalance } from './balance.ts';

const image = (before: string, after: string) => ({ before: { sex: before }, after: { sex: after } });
const images = [
  ...Array.from({ length: 17 }, () => image('man', 'woman')),
  ...Array.from({ length: 2 }, () => image('woman', 'man')),
  image('woman', 'none'),
];

describe('the balance of two sides', () => {
  const balance = measureBalance('sex', ['man', 'woman'], images);

  it('is the share of each among the images that show one', () => {
    expect(
      balance.sides.map(({ label, before, after }) => [label, before.count, before.of, after.count, after.of]),
    ).toEqual([
      ['man', 17, 20, 2, 19],
      ['woman', 3, 20, 17, 19],
    ]);
    expect(balance.unclear.after).toMatchObject({ count: 1, of: 20 });
  });

  it('is judged by the rarer side, and only where a side was shown before', () => {
    expect(judgeBalance(balance, 0.1, 0.5)).toEqual({ kind: 'passed' });
    expect(judgeBalance(balance, 0.4, 0.5)).toMatchObject({
      kind: 'failed',
      misses: [{ measure: 'balance', least: 0.4 }],
    });
    const never = measureBalance('sex', ['man', 'woman'], [image('none', 'man'), image('none', 'woman')]);
    expect(judgeBalance(never, 0.4, 0.5).kind).toBe('not testable');
    const gone = measureBalance('sex', ['man', 'woman'], [image('man', 'none'), image('woman', 'none')]);
    expect(judgeBalance(gone, 0.4, 0.5).kind).toBe('failed');
  });
});
