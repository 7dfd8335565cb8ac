import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recognitionOf } from './recognition.ts';

const labels = ['cat', 'dog', 'owl'];
const see = (...numbers: readonly number[]) =>
  recognitionOf([{ head: 'object', labels, numbers: Float32Array.from(numbers) }]);
const shares = (...numbers: readonly number[]): readonly number[] =>
  labels.map((label) => see(...numbers).probability({ head: 'object', label }));

const near = (share: number, digits: number): number => expect.closeTo(share, digits) as number;

describe('recognitionOf', () => {
  it('chooses the largest number of each head, of equal ones the first', () => {
    expect(see(1, 3, 2).choice).toEqual({ object: 'dog' });
    expect(see(2, 1, 2).choice).toEqual({ object: 'cat' });
  });

  it('takes logits by their softmax, whatever is added to all of them', () => {
    expect(shares(Math.log(2), Math.log(6), 0)).toEqual([2 / 9, 6 / 9, 1 / 9].map((share) => near(share, 6)));
    fc.assert(
      fc.property(fc.tuple(...labels.map(() => fc.integer({ min: -50, max: 50 }))), fc.integer(), (logits, added) => {
        const shift = added % 1000;
        // Whole logits such as 1, 0, 0 cannot be told from a distribution, and are taken for one.
        const total = logits.reduce((sum, logit) => sum + logit, 0);
        fc.pre(total !== 1 && total + shift * logits.length !== 1);
        const [one, other] = [shares(...logits), shares(...logits.map((logit) => logit + shift))];
        expect(one.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1);
        expect(other).toEqual(one.map((share) => near(share, 4)));
      }),
    );
  });

  it('takes a distribution as it is', () => {
    expect(shares(0.25, 0.5, 0.25)).toEqual([0.25, 0.5, 0.25]);
    expect(shares(0, 1, 0)).toEqual([0, 1, 0]);
  });

  it('is certain of an infinite logit, and knows nothing of labels that no head has', () => {
    expect(shares(1, Infinity, 2)).toEqual([0, 1, 0]);
    expect(see(1, 2, 3).probability({ head: 'object', label: 'fox' })).toBe(0);
    expect(see(1, 2, 3).probability({ head: 'style', label: 'cat' })).toBe(0);
  });
});
