import type { Tuning } from '../../coordinator/plan/campaign.ts';
import type { SiteName } from '../../shared/model/site.ts';
import type { GridLimits } from '../../shared/tuning/grid.ts';

/**
 * What is tried where a campaign says nothing, from what was seen on emoji-sd: a contrast with a broad retain list, at
 * ratios well above the paper's and of weights that are selected in more than half of the steps, keeps more than a smaller
 * ratio of any step; the text encoder's MLP erases next to nothing, and values without feed-forward layers erase half
 * (docs/guide/verify-and-tune.md).
 */
const usualRatios: Readonly<Record<SiteName, readonly number[]>> = {
  ffn2: [0.05, 0.1, 0.2],
  ffn1: [0.02, 0.05],
  'attn-key': [0.05, 0.1],
  'attn-value': [0.1, 0.2],
  text: [0.05, 0.1],
};

/** Of a campaign; where it has no retain list there is nothing but each concept's base to compare with. */
export function limitsOf({ grid = {} }: Tuning, hasRetain: boolean): GridLimits {
  const given = grid.skill_ratio;
  const ratiosOf = (site: SiteName): readonly number[] => given?.[site] ?? usualRatios[site];
  return {
    sites: grid.sites ?? [['ffn2', 'attn-value']],
    skillRatios: {
      ffn2: ratiosOf('ffn2'),
      ffn1: ratiosOf('ffn1'),
      'attn-key': ratiosOf('attn-key'),
      'attn-value': ratiosOf('attn-value'),
      text: ratiosOf('text'),
    },
    selections: grid.selection ?? ['contrast'],
    margins: grid.margin ?? [1, 1.1, 1.3],
    selectRatios: grid.select_ratio ?? [0, 0.5],
    against: grid.against ?? (hasRetain ? ['retain'] : ['base']),
  };
}
