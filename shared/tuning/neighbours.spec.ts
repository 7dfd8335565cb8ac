import { describe, expect, it } from 'vitest';
import { type Candidate, candidateKey, type MaskChoice } from './candidate.ts';
import { balancing, neighbours } from './neighbours.ts';
import type { Standing } from './standing.ts';
import type { Trial } from './trial.ts';
import { concepts, requirements } from './tuning.spec-support.ts';

const mask: MaskChoice = {
  selectRatio: 0.5,
  sites: [
    { site: 'ffn2', skillRatio: 0.05, selection: 'contrast', margin: 1 },
    { site: 'text', skillRatio: 0.1, selection: 'contrast', margin: 1 },
  ],
};
const candidate: Candidate = { against: 'retain', masks: concepts.map((concept) => ({ concept, mask })) };

/** A trial of which so many of 20 images speak for each requirement; 18 are asked for. */
function trialOf(...hits: readonly number[]): Trial {
  const standings = requirements.map((requirement, i): Standing => ({
    requirement,
    hits: hits[i] ?? 0,
    of: 20,
    expected: (hits[i] ?? 0) / 20,
  }));
  return { candidate, pruned: 1, standings, samples: 20, layers: [] };
}

/** The same, of whose cat's mask alone so many of 20 images speak for what it keeps. */
function aloneToo(trial: Trial, hits: number): Trial {
  const requirement = { name: 'IRA, cat alone', side: { kind: 'kept' }, alone: 'cat', least: 0.9 } as const;
  return { ...trial, standings: [...trial.standings, { requirement, hits, of: 20, expected: hits / 20 }] };
}

const near = (...hits: readonly number[]): readonly Candidate[] => neighbours(trialOf(...hits));

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

  it('prune more at one site and less at the others where both sides miss', () => {
    const own = changed(near(10, 20, 10), 'cat').map(ratios);
    expect(own).toContain('ffn2 0.07 text 0.071');
    expect(own).toContain('ffn2 0.036 text 0.14');
    expect(changed(near(10, 20, 20), 'cat').map(ratios)).not.toContain('ffn2 0.07 text 0.071');
  });

  it('are as if both sides missed, in smaller steps, where they are met with no room', () => {
    const own = changed(near(18, 20, 18), 'cat').map(ratios);
    expect(own).toContain('ffn2 0.06 text 0.12');
    expect(own).toContain('ffn2 0.06 text 0.083');
    expect(own.length).toBe(changed(near(10, 20, 10), 'cat').length);
  });

  it('move the margins of what is specific by the room above 1, never by the step of contrast', () => {
    const sites = [
      { site: 'attn-value', skillRatio: 1, selection: 'specific', margin: 1.1 },
      { site: 'text', skillRatio: 1, selection: 'specific', margin: 1.2 },
    ] as const;
    const specific: Candidate = { against: 'retain', masks: [{ concept: 'cat', mask: { selectRatio: 0.5, sites } }] };
    const standings = requirements.map((requirement): Standing => ({ requirement, hits: 10, of: 20, expected: 0.5 }));
    const own = neighbours({ candidate: specific, pruned: 1, standings, samples: 20, layers: [] });
    const margins = own.map(({ masks }) => masks[0]?.mask.sites.map(({ margin }) => margin).join(' '));
    expect(new Set(margins)).toEqual(
      new Set(['1.07 1.14', '1.07 1.28', '1.14 1.14', '1.1 1.2', '1.07 1.2', '1.1 1.14', '1.14 1.2', '1.1 1.28']),
    );
  });

  it('look for another place for what a mask prunes where that mask alone keeps too little, and not for the others', () => {
    const both = (...hits: readonly number[]): readonly (readonly string[])[] => {
      const all = neighbours(aloneToo(trialOf(...hits), 10));
      return concepts.map((concept) => changed(all, concept).map(ratios));
    };
    const [cat, violin] = both(10, 10, 20);
    expect(cat).toContain('ffn2 0.07 text 0.071');
    expect(violin).not.toContain('ffn2 0.07 text 0.071');
    expect(violin).toContain('ffn2 0.07 text 0.14');
  });

  it('are weaker of the mask that keeps too little by itself, and leave the others, where nothing else is missing', () => {
    const all = neighbours(aloneToo(trialOf(20, 20, 20), 10));
    expect(changed(all, 'cat').map(ratios)).toContain('ffn2 0.036 text 0.1');
    expect(changed(all, 'cat')).toHaveLength(all.length);
    expect(changed(neighbours(aloneToo(trialOf(20, 20, 10), 10)), 'violin')).not.toEqual([]);
  });

  it('are each there once, without the candidate itself', () => {
    const keys = near(20, 20, 20).map(candidateKey);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys).not.toContain(candidateKey(candidate));
  });
});

describe('balancing', () => {
  const both = (...hits: readonly number[]): readonly (readonly string[])[] =>
    balancing(trialOf(...hits)).map(({ masks }) => masks.map((each) => `${each.concept} ${ratios(each.mask)}`));

  it('prunes more of the concept that is short and less of the others, a little and more', () => {
    expect(both(10, 20, 20)).toEqual([
      ['cat ffn2 0.06 text 0.12', 'violin ffn2 0.042 text 0.083'],
      ['cat ffn2 0.07 text 0.14', 'violin ffn2 0.036 text 0.071'],
    ]);
  });

  it('does not prune more of the concept that is short where its mask alone keeps too little', () => {
    expect(balancing(aloneToo(trialOf(10, 20, 20), 20))).not.toEqual([]);
    expect(balancing(aloneToo(trialOf(10, 20, 20), 10))).toEqual([]);
  });

  it('has nothing to give where all concepts are short, or none', () => {
    expect(both(10, 10, 20)).toEqual([]);
    expect(both(20, 20, 10)).toEqual([]);
  });
});
