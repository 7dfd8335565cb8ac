import { describe, expect, it } from 'vitest';
import { type Candidate, candidateKey, type MaskChoice } from './candidate.ts';
import { neighbours } from './neighbours.ts';
import type { Standing } from './standing.ts';
import { concepts, requirements } from './tuning.spec-support.ts';

const mask: MaskChoice = {
  selectRatio: 0.5,
  sites: [
    { site: 'ffn2', skillRatio: 0.05, selection: 'contrast', margin: 1 },
    { site: 'text', skillRatio: 0.1, selection: 'contrast', margin: 1 },
  ],
};
const candidate: Candidate = { against: 'retain', masks: concepts.map((concept) => ({ concept, mask })) };

/** What is tried next where so many of 20 images speak for each requirement; 18 are asked for. */
function near(...hits: readonly number[]): readonly Candidate[] {
  const standings = requirements.map((requirement, i): Standing => ({
    requirement,
    hits: hits[i] ?? 0,
    of: 20,
    expected: (hits[i] ?? 0) / 20,
  }));
  return neighbours({ candidate, pruned: 1, standings, samples: 20, layers: [] });
}

/** The masks of one concept in candidates that change it alone. */
function changed(all: readonly Candidate[], concept: string): readonly MaskChoice[] {
  return all.flatMap(({ masks }) => {
    const others = masks.filter((each) => each.concept !== concept).every((each) => each.mask === mask);
    const own = masks.find((each) => each.concept === concept)?.mask;
    return own !== undefined && own !== mask && others ? [own] : [];
  });
}

const ratios = ({ sites }: MaskChoice): string =>
  sites.map(({ site, skillRatio }) => `${site} ${skillRatio}`).join(' ');

describe('neighbours', () => {
  it('are weaker where all is met: as a whole, site by site, and without one of the sites', () => {
    const own = changed(near(20, 20, 20), 'cat');
    expect(new Set(own.map(ratios))).toEqual(
      new Set([
        'ffn2 0.036 text 0.071',
        'ffn2 0.036 text 0.1',
        'ffn2 0.05 text 0.071',
        'ffn2 0.05',
        'text 0.1',
        'ffn2 0.05 text 0.1',
      ]),
    );
    expect(own.map(({ selectRatio }) => selectRatio)).toContain(0.8);
    expect(own.map(({ sites }) => sites[0]?.margin)).toContain(1.1);
  });

  it('are stronger for the concept that is not erased, and take no site from it', () => {
    const all = near(10, 20, 20);
    const own = changed(all, 'cat');
    expect(own.every(({ sites }) => sites.length === 2)).toBe(true);
    expect(own.map(ratios)).toContain('ffn2 0.07 text 0.14');
    expect(own.map(ratios)).not.toContain('ffn2 0.036 text 0.071');
    expect(changed(all, 'violin').map(ratios)).toContain('ffn2 0.036 text 0.071');
  });

  it('prune more of what is more specific where both sides miss', () => {
    const own = changed(near(10, 20, 10), 'cat').map((each) => [ratios(each), each.sites[0]?.margin, each.selectRatio]);
    expect(own).toContainEqual(['ffn2 0.07 text 0.14', 1.1, 0.5]);
    expect(own).toContainEqual(['ffn2 0.07 text 0.14', 1, 0.8]);
  });

  it('are as if both sides missed where they are met with no room', () => {
    expect(near(18, 20, 18)).toEqual(near(10, 20, 10));
    expect(near(20, 20, 20)).not.toEqual(near(18, 20, 20));
  });

  it('are each there once, without the candidate itself', () => {
    const keys = near(20, 20, 20).map(candidateKey);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys).not.toContain(candidateKey(candidate));
  });
});
