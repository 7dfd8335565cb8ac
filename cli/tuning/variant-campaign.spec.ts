import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Concept } from '../../coordinator/plan/campaign.ts';
import { parseCampaign } from '../../coordinator/plan/parse-campaign.ts';
import { gridOf } from '../../shared/tuning/grid.ts';
import { limits } from '../../shared/tuning/tuning.spec-support.ts';
import { variantCampaign, winnerCampaign } from './variant-campaign.ts';

const text = `
name: emoji
sampling: { steps: 20, guidance: 2.5 }
seed: 18446744073709551615
mask: { select_ratio: 0.7, sites: { ffn1: { skill_ratio: 0.3 } } }
prompts:
  others: &others [a dog, { prompt: an owl, count: 2 }, 'on', '2']
retain: others
concepts:
  - { name: violin, kind: object, target: [a violin], base: [a dog], mask: { sites: { text: { margin: 3, selection: contrast } } } }
  - { name: cat, kind: object, target: [a cat, a "cat"], base: [a dog, an owl], seeds: [9007199254740993, -1] }
  - { name: dog, kind: object, things: *others, phrase: in a "hat" # not a comment in text
    }
`.replace('a "cat"', '\'a "cat": # no\'');

const candidates = fc.constantFrom(...gridOf(limits, ['cat', 'violin']));

/** Everything of a concept but how its mask is made and measured. */
const unmasked = ({ name, kind, target, base }: Concept) => ({ name, kind, target, base });

describe('variantCampaign', () => {
  it('keeps the prompts, seeds and sampling of the group, and makes the masks of the candidate', () => {
    const original = parseCampaign(text, 'campaign.yaml');
    fc.assert(
      fc.property(candidates, (candidate) => {
        const { concepts, retain, ...rest } = parseCampaign(variantCampaign(text, candidate), 'variant');
        const { concepts: all, retain: kept, ...settings } = original;
        expect(rest).toEqual(settings);
        expect(retain).toEqual(candidate.against === 'retain' ? kept : []);
        expect(concepts.map(unmasked)).toEqual(all.filter(({ name }) => name !== 'dog').map(unmasked));
        for (const { name, mask } of concepts) {
          const own = candidate.masks.find(({ concept }) => concept === name)?.mask;
          expect(mask.selectRatio).toBe(own?.selectRatio);
          expect(new Set(mask.sites)).toEqual(new Set(own?.sites));
        }
      }),
    );
  });

  it('is the same text for the same candidate, and another for another', () => {
    fc.assert(
      fc.property(candidates, candidates, (one, other) => {
        const same = JSON.stringify(one) === JSON.stringify(other);
        expect(variantCampaign(text, one) === variantCampaign(text, other)).toBe(same);
      }),
    );
  });

  it('is the same text whatever the thresholds and the budget are', () => {
    const [candidate = { against: 'base', masks: [] }] = gridOf(limits, ['cat', 'violin']);
    const other = `${text}verify: { prompts: ['{a object}'], thresholds: { ua: 0.5 } }\ntune: { budget: 9000 }\n`;
    expect(variantCampaign(other, candidate)).toBe(variantCampaign(text, candidate));
  });

  it('leaves a winner its verification, with its classifier wherever the file lies, and the images it was chosen by', () => {
    const [candidate = { against: 'base', masks: [] }] = gridOf(limits, ['cat', 'violin']);
    const section = "verify: { prompts: ['{a object}'], thresholds: { ua: 0.5 }, classifier: seen.json }\n";
    const groups = '{ images: 48, seed: 777, budget: 9000, together: [[cat, violin], [dog, owl]] }';
    const original = text.replace(
      'name: dog, kind',
      'name: owl, kind: object, target: [an owl], base: [a dog] }\n  - { name: dog, kind',
    );
    const whole = `${original}${section}tune: ${groups}\n`;
    const { tune, verify } = parseCampaign(whole, 'c');
    if (tune === undefined) throw new Error('it has the section');
    const winner = parseCampaign(winnerCampaign(whole, candidate, '/models/seen.json', tune), 'winner');
    expect(winner.verify).toEqual({ ...verify, classifier: '/models/seen.json' });
    expect(winner.concepts.map(({ name }) => name)).toEqual(['cat', 'violin']);
    expect(winner.tune).toMatchObject({ images: 48, seed: 777, together: [['cat', 'violin']] });
  });
});
