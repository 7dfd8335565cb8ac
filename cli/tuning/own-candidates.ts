import type { Campaign } from '../../coordinator/plan/campaign.ts';
import { defaultMask } from '../../coordinator/plan/expand-campaign.ts';
import { isContrasting } from '../../shared/method/conceptprune/settings.ts';
import type { Candidate } from '../../shared/tuning/candidate.ts';
import { canonicalJson } from '../../shared/unit/canonical-json.ts';

/**
 * The masks that a campaign gives itself, to be tried before the grid: the winners of single concepts are a good start for
 * all of them together. None where it says nothing of masks.
 */
export function ownCandidates(
  { concepts, retain }: Pick<Campaign, 'concepts' | 'retain'>,
  names: readonly string[],
): readonly Candidate[] {
  const own = names.flatMap((name) => concepts.filter((concept) => concept.name === name));
  // What nobody asked for is no start: the paper's ratio is made for large models.
  if (own.every(({ mask }) => canonicalJson(mask) === canonicalJson(defaultMask))) return [];
  const contrasts = own.some(({ mask }) => mask.sites.some(({ selection }) => isContrasting(selection)));
  return [
    {
      against: contrasts && retain.length > 0 ? 'retain' : 'base',
      masks: own.map(({ name, mask }) => ({ concept: name, mask })),
    },
  ];
}
