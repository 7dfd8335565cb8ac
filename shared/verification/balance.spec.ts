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

  it('is none where the mask has left few that show a side', () => {
    const lost = Array.from({ length: 8 }, () => image('man', 'none'));
    const ruined = measureBalance('sex', ['man', 'woman'], [image('man', 'man'), image('man', 'woman'), ...lost]);
    expect(ruined.sides.map(({ after }) => after.rate)).toEqual([0.5, 0.5]);
    expect(judgeBalance(ruined, 0.4, 0.5)).toEqual({
      kind: 'failed',
      misses: [{ measure: 'balance', value: 0.1, least: 0.4 }],
    });
    // More that show one than before are no excuse for fewer of the rarer side.
    const found = Array.from({ length: 6 }, () => image('none', 'man'));
    const more = [...found, image('man', 'woman'), image('woman', 'woman'), image('man', 'man'), image('man', 'man')];
    expect(judgeBalance(measureBalance('sex', ['man', 'woman'], more), 0.4, 0.3)).toMatchObject({
      misses: [{ value: 0.2 }],
    });
  });
});
