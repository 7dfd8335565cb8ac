import type { Tuning } from '../../coordinator/plan/campaign.ts';
import type { SiteName } from '../../shared/model/site.ts';
import type { GridLimits } from '../../shared/tuning/grid.ts';

/**
 * What is tried where a campaign says nothing, from what was seen on emoji-sd (docs/guide/verify-and-tune.md): small ratios
 * at several sites do less harm for the same erasure than a large one at one of them. What feed-forward layers lose costs
 * most of what is kept, so of these only weights that most steps select; the text encoder's MLP alone erases next to
 * nothing, and beside the others it erases what they leave.
 */
const usualSites: readonly (readonly SiteName[])[] = [
  ['ffn2', 'attn-value'],
  ['ffn2', 'attn-value', 'text'],
  ['ffn2', 'attn-key', 'attn-value', 'text'],
];
const usualRatios: Readonly<Record<SiteName, readonly number[]>> = {
  ffn2: [0.03, 0.05],
  ffn1: [0.02, 0.05],
  'attn-key': [0.1],
  'attn-value': [0.05, 0.1],
  text: [0.1],
};
const usualMargins: readonly number[] = [1];
const usualSelectRatios: readonly number[] = [0.5, 0.8];

/** Of a campaign; where it has no retain list there is nothing but each concept's base to compare with. */
export function limitsOf({ grid = {} }: Tuning, hasRetain: boolean): GridLimits {
  const given = grid.skill_ratio;
  const ratiosOf = (site: SiteName): readonly number[] => given?.[site] ?? usualRatios[site];
  return {
    sites: grid.sites ?? usualSites,
    skillRatios: {
      ffn2: ratiosOf('ffn2'),
      ffn1: ratiosOf('ffn1'),
      'attn-key': ratiosOf('attn-key'),
      'attn-value': ratiosOf('attn-value'),
      text: ratiosOf('text'),
    },
    selections: grid.selection ?? ['contrast'],
    margins: grid.margin ?? usualMargins,
    selectRatios: grid.select_ratio ?? usualSelectRatios,
    against: grid.against ?? (hasRetain ? ['retain'] : ['base']),
  };
}
