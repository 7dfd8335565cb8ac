import { stringify } from 'yaml';
import { readYaml } from '../../shared/config/yaml-file.ts';
import type { Candidate, MaskChoice } from '../../shared/tuning/candidate.ts';

type Raw = Readonly<Record<string, unknown>>;

/**
 * The campaign that makes a candidate's masks: the same prompts and sampling, so the same cohorts and statistics, with
 * other mask settings, and the group's concepts alone. A pure function of the file and the candidate: the same text, the
 * same campaign.
 *
 * @param text of a campaign that was parsed without a problem
 * @param kept sections beside prompts and concepts that go with it: masks depend on none of them
 */
export function variantCampaign(text: string, { against, masks }: Candidate, kept: readonly string[] = []): string {
  const file = readYaml(text).value as Raw;
  const dropped = ['mask', 'concepts', ...['tune', 'verify'].filter((section) => !kept.includes(section))];
  if (against === 'base') dropped.push('retain');
  const rest = Object.fromEntries(Object.entries(file).filter(([key]) => !dropped.includes(key)));
  const concepts = (file['concepts'] as readonly Raw[]).flatMap((concept) => {
    const own = masks.find((each) => each.concept === concept['name']);
    return own === undefined ? [] : [{ ...concept, mask: maskSection(own.mask) }];
  });
  return stringify({ ...rest, concepts }, { aliasDuplicateObjects: false, lineWidth: 0 });
}

function maskSection({ selectRatio, sites }: MaskChoice): Raw {
  const settings = sites.map(({ site, skillRatio, selection, margin }) => {
    const contrast = selection === 'contrast' ? { margin } : {};
    return [site, { skill_ratio: skillRatio, selection, ...contrast }] as const;
  });
  return { select_ratio: selectRatio, sites: Object.fromEntries(settings) };
}
