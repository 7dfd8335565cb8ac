import type { Tuning } from '../../coordinator/plan/campaign.ts';
import type { SiteName } from '../../shared/model/site.ts';
import type { GridLimits } from '../../shared/tuning/grid.ts';

/** What is tried where a campaign says nothing, from what was seen on emoji-sd (docs/guide/verify-and-tune.md; margins of single concepts: docs/decision/013). */
type UsualLimits = Omit<GridLimits, 'selections' | 'against'>;

/**
 * Small ratios at several sites do less harm for the same erasure than a large one at one of them. What feed-forward layers
 * lose costs most of what is kept, so of these only weights that most steps select; the text encoder's MLP alone erases next
 * to nothing, and beside the others it erases what they leave. What is specific keeps more than a contrast that erases as much.
 */
const usualAlone: UsualLimits = {
  sites: [
    ['ffn2', 'attn-value'],
    ['ffn2', 'attn-value', 'text'],
    ['ffn2', 'attn-key', 'attn-value', 'text'],
  ],
  skillRatios: { ffn2: [0.03, 0.05], ffn1: [0.02, 0.05], 'attn-key': [0.1], 'attn-value': [0.05, 0.1], text: [0.1] },
  margins: [1],
  specificMargins: { ffn2: [1.25, 1.36], ffn1: [1.2], 'attn-key': [1.2], 'attn-value': [1.07, 1.12], text: [1.13] },
  selectRatios: [0.5, 0.8],
};

/** The harm of masks that are active together adds up: fewer sites, less of them, and only what is more specific. */
const usualTogether: UsualLimits = {
  sites: [['ffn2', 'attn-value']],
  skillRatios: { ...usualAlone.skillRatios, 'attn-value': [0.05] },
  margins: [1, 1.1, 1.2],
  specificMargins: { ffn2: [1.3, 1.5], ffn1: [1.3], 'attn-key': [1.2], 'attn-value': [1.2, 1.3], text: [1.3] },
  selectRatios: [0.5, 0.8],
};

/**
 * @param hasRetain where a campaign has no retain list there is nothing but each concept's base to compare with
 * @param concepts how many are tuned together
 */
export function limitsOf({ grid = {} }: Tuning, hasRetain: boolean, concepts: number): GridLimits {
  const usual = concepts > 1 ? usualTogether : usualAlone;
  return {
    sites: grid.sites ?? usual.sites,
    skillRatios: { ...usual.skillRatios, ...given(grid.skill_ratio) },
    selections: grid.selection ?? ['contrast', 'specific'],
    margins: grid.margin ?? usual.margins,
    specificMargins: { ...usual.specificMargins, ...given(grid.specific_margin) },
    selectRatios: grid.select_ratio ?? usual.selectRatios,
    against: grid.against ?? (hasRetain ? ['retain'] : ['base']),
  };
}

/** The sites that a campaign gives something for. */
function given(
  lists: Partial<Record<SiteName, readonly number[] | undefined>> = {},
): Partial<Record<SiteName, readonly number[]>> {
  return Object.fromEntries(Object.entries(lists).filter(([, list]) => list !== undefined));
}
