import { describe, expect, it } from 'vitest';
import { parseCampaign } from '../../coordinator/plan/parse-campaign.ts';
import { ownCandidates } from './own-candidates.ts';
import { variantCampaign } from './variant-campaign.ts';

const text = (mask: string): string => `
name: own
retain: [an owl]
concepts:
  - { name: violin, kind: object, target: [a violin], base: [a dog]${mask} }
  - { name: cat, kind: object, target: [a cat], base: [a dog] }
`;
const layers = ', mask: { sites: { ffn2: { selection: contrast, margin: 1.1, layers: { a.ff.net.2: 0.04 } } } }';

describe('ownCandidates', () => {
  it('are the masks that the campaign gives: made from them they are the same', () => {
    const campaign = parseCampaign(text(layers), 'campaign.yaml');
    const [own, ...others] = ownCandidates(campaign, ['violin', 'cat']);
    expect(others).toEqual([]);
    if (own === undefined) throw new Error('there is none');
    const made = parseCampaign(variantCampaign(text(layers), own), 'variant');
    expect(made.concepts.map(({ name, mask }) => [name, mask])).toEqual(
      campaign.concepts.map(({ name, mask }) => [name, mask]),
    );
    expect(made.retain).toEqual(campaign.retain);
  });

  it('are none where the campaign says nothing of masks, or not of these', () => {
    expect(ownCandidates(parseCampaign(text(''), 'campaign.yaml'), ['violin', 'cat'])).toEqual([]);
    expect(ownCandidates(parseCampaign(text(layers), 'campaign.yaml'), ['cat'])).toEqual([]);
  });

  it('compare with no retain list where none of them contrasts', () => {
    const reference = ', mask: { sites: { ffn2: { skill_ratio: 0.2 } } }';
    const campaign = parseCampaign(text(reference), 'campaign.yaml');
    expect(ownCandidates(campaign, ['violin', 'cat'])).toMatchObject([{ against: 'base' }]);
  });
});
