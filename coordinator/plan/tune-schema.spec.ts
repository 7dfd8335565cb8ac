import { describe, expect, it } from 'vitest';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { parseCampaign } from './parse-campaign.ts';

const campaign = (tune: string, verify = 'verify: { prompts: ["{a object}"], thresholds: { ua: 0.9 } }') => `name: c
${verify}
concepts:
  - { name: cat, kind: object, target: [a cat], base: [a dog] }
  - { name: owl, kind: object, target: [an owl], base: [a dog] }
tune:
${tune}
`;

function problemsOf(text: string): readonly string[] {
  try {
    parseCampaign(text, 'c.yaml');
    return [];
  } catch (error) {
    return error instanceof LetheError ? error.why.split('\n') : [String(error)];
  }
}

describe('the tune section', () => {
  it('fills in its defaults', () => {
    expect(parseCampaign(campaign('  budget: 500'), 'c.yaml').tune).toEqual({
      budget: 500,
      images: 64,
      seed: 1_000_000,
    });
  });

  it.each<[string, string, RegExp]>([
    ['a key that is not there', '  bugdet: 500', /^7:3 tune\.bugdet: there is no such key; did you mean budget\?/],
    ['a key of the grid', '  grid: { margins: [1] }', /^7:11 tune\.grid\.margins: .*did you mean margin\?/],
    [
      'a site that is not there',
      '  grid: { sites: [[ffn3]] }',
      /^7:19 tune\.grid\.sites\[0\]\[0\]: .*did you mean ffn1\?|ffn2\?/,
    ],
    ['a ratio beyond 1', '  grid: { skill_ratio: { ffn2: [2] } }', /tune\.grid\.skill_ratio\.ffn2\[0\]/],
    ['a site twice', '  grid: { sites: [[ffn2, ffn2]] }', /^7:19 tune\.grid\.sites\[0\]: a site is listed twice/],
    [
      'a concept that is not there',
      '  together: [[cat, dog]]',
      /^7:20 tune\.together\[0\]\[1\]: there is no concept "dog"; known: cat, owl/,
    ],
    ['a concept twice', '  together: [[cat, owl], [owl, cat]]', /owl is listed twice/],
    ['a group of one', '  together: [[cat]]', /tune\.together\[0\]/],
    [
      'a retain list that is not there',
      '  grid: { against: [base, retain] }',
      /^7:27 tune\.grid\.against\[1\]: the campaign has no retain list/,
    ],
  ])('refuses %s, by line', (_, tune, problem) => {
    expect(problemsOf(campaign(tune))[0]).toMatch(problem);
  });

  it('asks for a section verify', () => {
    expect(problemsOf(campaign('  budget: 500', '#'))).toEqual([
      expect.stringMatching(/^7:3 tune: the campaign has no section verify/),
    ]);
  });

  it('tells of all problems at once', () => {
    expect(problemsOf(campaign('  grid: { against: [retain] }\n  together: [[cat, dog]]'))).toHaveLength(2);
  });
});
