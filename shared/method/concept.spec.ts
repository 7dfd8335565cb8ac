import { describe, expect, it } from 'vitest';
import { cohortsOf, type Concept, conceptKinds } from './concept.ts';

const pair = { name: 'c', target: ['a cat in the style of Monet', 'x'], base: ['a cat', 'y'] };

describe('cohortsOf', () => {
  it.each(conceptKinds.filter((kind) => kind !== 'gender'))('samples kind %s from seed 0', (kind) => {
    const { target, base, retain } = cohortsOf({ ...pair, kind, retain: ['z'] });
    expect(target).toEqual(pair.target.map((prompt) => ({ prompt, seed: '0' })));
    expect(base).toEqual(pair.base.map((prompt) => ({ prompt, seed: '0' })));
    expect(retain).toEqual([{ prompt: 'z', seed: '0' }]);
  });

  it('samples both prompts of a pair from the seed of the pair', () => {
    const { target, base } = cohortsOf({ ...pair, kind: 'gender', seeds: ['3', '18446744073709551615'] });
    expect(target.map(({ seed }) => seed)).toEqual(['3', '18446744073709551615']);
    expect(base.map(({ seed }) => seed)).toEqual(['3', '18446744073709551615']);
  });

  it.each<[string, Partial<Concept>, RegExp]>([
    ['gender without seeds', { kind: 'gender' }, /kind gender has no seeds/],
    ['seeds that are too few', { seeds: ['1'] }, /1 seeds for 2 pairs/],
    ['a seed that is negative', { seeds: ['1', '-1'] }, /"-1" is no seed/],
    ['a seed of 2^64', { seeds: ['1', '18446744073709551616'] }, /is no seed/],
    ['lists of unequal length', { base: ['a cat'] }, /2 target prompts and 1 base prompts/],
    ['no prompts', { target: [], base: [] }, /0 target prompts/],
  ])('refuses %s', (_, change, reason) => {
    expect(() => cohortsOf({ ...pair, kind: 'style', ...change })).toThrow(reason);
  });
});
