import { describe, expect, it } from 'vitest';
import { concept } from '../../coordinator/plan/campaigns.spec-support.ts';
import type { Recognition } from '../../shared/verification/recognition.ts';
import type { Labels } from '../../shared/verification/test-image.ts';
import { aloneLists, requirementsOf } from './requirements.ts';
import type { ProbeLists } from './probe-lists.ts';
import { requirePresent, standingsOf } from './standings.ts';

/** A classifier that is sure of what it sees. */
const sure = (choice: Labels): Recognition => ({
  choice,
  probability: ({ head, label }) => (choice[head] === label ? 1 : 0),
});
const seenOf = (targets: readonly (readonly Labels[])[], rest: readonly Labels[]) => ({
  targets: targets.map((list) => list.map(sure)),
  rest: rest.map(sure),
});
const probe = (asked: Labels) => ({ prompt: JSON.stringify(asked), seed: '1', asked });
const verified = (name: string, ua: number | undefined, ira: number, cra: number) => {
  const thresholds = { ...(ua === undefined ? {} : { ua }), ira, cra };
  const verify = { sides: [], thresholds, together: { ira: 0.5, cra: 0.5 }, alternatives: [] };
  return { ...concept(name, ['x'], ['y']), verify };
};

const violin = { object: 'violin', style: 'Ink' };
const dog = { object: 'dog', style: 'Ink' };
const owl = { object: 'owl', style: 'Noto' };
const plain = { object: 'owl' };

const lists: ProbeLists = {
  targets: [
    {
      concept: verified('violin', 0.9, 0.8, 0.7),
      target: { head: 'object', label: 'violin' },
      probes: [violin, violin].map(probe),
    },
  ],
  rest: [dog, owl, plain].map(probe),
};

describe('standings', () => {
  it('count what is not recognised of the target, and of the rest what is, by each head', () => {
    const before = seenOf([[violin, violin]], [dog, { ...owl, style: 'Ink' }, owl]);
    const after = seenOf([[violin, dog]], [{ object: 'cat', style: 'Ink' }, owl, owl]);
    expect(standingsOf(requirementsOf(lists), lists, before, after)).toMatchObject([
      { requirement: { name: 'UA of violin', least: 0.9 }, hits: 1, of: 2 },
      { requirement: { name: 'rest kept by object', least: 0.8 }, hits: 2, of: 3 },
      // The style of the owl was not recognised before, and the last prompt names none.
      { requirement: { name: 'rest kept by style', least: 0.7 }, hits: 2, of: 1 },
    ]);
  });

  it('compare the first images of each list with the same ones before', () => {
    const before = seenOf([[violin, violin]], [dog, owl, owl]);
    const after = seenOf([[dog]], [dog, owl]);
    expect(standingsOf(requirementsOf(lists), lists, before, after).map(({ hits, of }) => [hits, of])).toEqual([
      [1, 1],
      [2, 2],
      [2, 2],
    ]);
  });

  describe('of several concepts', () => {
    const neon = {
      concept: verified('Neon', undefined, 0.9, 0.95),
      target: { head: 'style', label: 'Neon' },
      probes: [{ object: 'owl', style: 'Neon' }].map(probe),
    };
    const both = { ...lists, targets: [...lists.targets, neon] };
    const asked = requirementsOf(both);

    it('are held against the thresholds for all masks together, and those of each mask alone', () => {
      expect(asked.map(({ requirement: { name, least, alone } }) => [name, least, alone])).toEqual([
        ['rest kept by object', 0.5, undefined],
        ['rest kept by style', 0.5, undefined],
        ['UA of violin alone', 0.9, 'violin'],
        ['rest kept by object, violin alone', 0.8, 'violin'],
        ['rest kept by style, violin alone', 0.7, 'violin'],
        ['rest kept by object, Neon alone', 0.95, 'Neon'],
        ['rest kept by style, Neon alone', 0.9, 'Neon'],
      ]);
      expect(aloneLists(asked, both)).toEqual(
        new Map([
          ['violin', [0, 2]],
          ['Neon', [2]],
        ]),
      );
    });

    it('count under one mask what was drawn with it alone, and leave out what was not drawn', () => {
      const before = seenOf([[violin, violin], [{ object: 'owl', style: 'Neon' }]], [dog, owl, plain]);
      const together = seenOf([[dog, dog], [owl]], [owl, dog, dog]);
      const alone = seenOf([[violin, dog], []], [dog, owl, dog]);
      const standings = standingsOf(asked, both, before, together, new Map([['violin', alone]]));
      expect(standings.map(({ requirement: { name }, hits, of }) => [name, hits, of])).toEqual([
        ['rest kept by object', 0, 3],
        ['rest kept by style', 0, 2],
        ['UA of violin alone', 1, 2],
        ['rest kept by object, violin alone', 2, 3],
        ['rest kept by style, violin alone', 2, 2],
      ]);
    });
  });

  it('are refused for a target that was not there before', () => {
    const before = seenOf([[dog, violin]], [dog, owl, plain]);
    expect(() => {
      requirePresent(lists, before, 0.6);
    }).toThrow(/violin in 1 of them/);
    expect(() => {
      requirePresent(lists, before, 0.5);
    }).not.toThrow();
  });

  it.each([
    ['ira', 'no prompt of the rest names another object', [{ style: 'Ink' }], [{ style: 'Ink' }]],
    ['cra', 'no prompt of the rest names a style', [{ object: 'dog' }], [dog]],
    ['cra', 'no style was recognised before', [dog], [{ object: 'dog', style: 'Noto' }]],
    ['ira', 'there is no rest', [], []],
  ])('are refused for a threshold of %s where %s', (measure, _, asked: Labels[], rest: Labels[]) => {
    const before = seenOf([[violin, violin]], rest);
    expect(() => {
      requirePresent({ ...lists, rest: asked.map(probe) }, before, 0.5);
    }).toThrow(expect.objectContaining({ code: 'not-testable', why: expect.stringContaining(measure) as string }));
  });
});
