import type { Campaign, MaskSettings } from '../../coordinator/plan/campaign.ts';
import { isContrasting } from '../../shared/method/conceptprune/settings.ts';
import type { Candidate } from '../../shared/tuning/candidate.ts';

/**
 * The masks that a campaign gives itself, to be tried before the grid: the winners of single concepts are a good start for
 * all of them together. None where it says nothing of masks.
 */
export function ownCandidates(
  { concepts, retain }: Pick<Campaign, 'concepts' | 'retain'>,
  names: readonly string[],
): readonly Candidate[] {
  const own = names.flatMap((name) => concepts.filter((concept) => concept.name === name));
  if (own.every(({ mask }) => isDefault(mask))) return [];
  const contrasts = own.some(({ mask }) => mask.sites.some(({ selection }) => isContrasting(selection)));
  return [
    {
      against: contrasts && retain.length > 0 ? 'retain' : 'base',
      masks: own.map(({ name, mask }) => ({ concept: name, mask })),
    },
  ];
}

/** The paper's settings are of no use as a start for small models, and a campaign with nothing else has not asked for them. */
function isDefault({ selectRatio, sites }: MaskSettings): boolean {
  const [site, ...others] = sites;
  return (
    selectRatio === 0 &&
    others.length === 0 &&
    site?.site === 'ffn2' &&
    site.selection === 'reference' &&
    site.skillRatio === 0.01 &&
    site.layers === undefined
  );
}
