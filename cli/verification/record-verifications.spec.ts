import { expect, it } from 'vitest';
import { measureBalance } from '../../shared/verification/balance.ts';
import { measureErasure } from '../../shared/verification/erasure.ts';
import type { ConceptResult } from './measure-tests.ts';
import { testImages } from './record-verifications.ts';

const seen = (object: string) => ({ asked: { object }, before: { object }, after: { object }, distance: 0 });
const common = {
  concept: 'x',
  kind: 'object',
  thresholds: {},
  verdict: { kind: 'passed' },
  alternatives: [],
  examples: [],
} as const;
const erasureOf = (images: number): ConceptResult => {
  const targets = new Array<ReturnType<typeof seen>>(images).fill(seen('cat'));
  return {
    ...common,
    measured: {
      kind: 'erasure',
      erasure: measureErasure({ head: 'object', label: 'cat' }, targets, [seen('dog')], 0.5),
    },
  };
};

it('counts the images that a verdict rests on: of the concept with fewest, and of the rest', () => {
  const balance: ConceptResult = {
    ...common,
    measured: { kind: 'balance', balance: measureBalance('object', ['cat', 'dog'], [seen('cat'), seen('owl')]) },
  };
  const result = { title: 'x', masks: ['1'], examples: [], rest: 7 };
  expect(testImages({ ...result, concepts: [erasureOf(5)] })).toEqual({ target: 5, rest: 7 });
  expect(testImages({ ...result, concepts: [balance] })).toEqual({ target: 2, rest: 7 });
  expect(testImages({ ...result, concepts: [erasureOf(5), erasureOf(3)] })).toEqual({ target: 3, rest: 7 });
  expect(testImages({ ...result, concepts: [] })).toEqual({ target: 0, rest: 7 });
});
