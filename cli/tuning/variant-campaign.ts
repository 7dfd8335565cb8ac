import { stringify } from 'yaml';
import type { Tuning } from '../../coordinator/plan/campaign.ts';
import { readYaml } from '../../shared/config/yaml-file.ts';
import { isContrasting } from '../../shared/method/conceptprune/settings.ts';
import type { Candidate, MaskChoice } from '../../shared/tuning/candidate.ts';

type Raw = Readonly<Record<string, unknown>>;

/**
 * The campaign that makes a candidate's masks: the same prompts and sampling, so the same cohorts and statistics, with
 * other mask settings, and the group's concepts alone. A pure function of what masks depend on: another threshold or
 * budget gives the same text, and so the same campaign.
 *
 * @param text of a campaign that was parsed without a problem
 */
export function variantCampaign(text: string, candidate: Candidate): string {
  const { concepts, ...file } = variantOf(text, candidate);
  return written({ ...file, concepts: concepts.map((concept) => without(concept, ['verify'])) });
}

/**
 * The same campaign for people: it can be verified as the one that was tuned, and knows by which images it was.
 *
 * @param classifier path of the one that `verify` names, if it does: the file may lie in another folder
 * @param tune of the campaign that was tuned
 */
export function winnerCampaign(
  text: string,
  candidate: Candidate,
  classifier: string | undefined,
  { images, seed, together = [] }: Tuning,
): string {
  const verify = (readYaml(text).value as Raw)['verify'] as Raw | undefined;
  const own = classifier === undefined ? verify : { ...verify, classifier };
  const isOwn = (name: string): boolean => candidate.masks.some(({ concept }) => concept === name);
  const groups = together.filter((group) => group.every(isOwn));
  const tune = { images, seed, ...(groups.length === 0 ? {} : { together: groups }) };
  return written({ ...variantOf(text, candidate), ...(own === undefined ? {} : { verify: own }), tune });
}

function variantOf(text: string, { against, masks }: Candidate): Raw & { readonly concepts: readonly Raw[] } {
  const file = readYaml(text).value as Raw;
  const concepts = (file['concepts'] as readonly Raw[]).flatMap((concept) => {
    const own = masks.find((each) => each.concept === concept['name']);
    return own === undefined ? [] : [{ ...concept, mask: maskSection(own.mask) }];
  });
  const dropped = ['mask', 'concepts', 'tune', 'verify', ...(against === 'base' ? ['retain'] : [])];
  return { ...without(file, dropped), concepts };
}

function without(map: Raw, keys: readonly string[]): Raw {
  return Object.fromEntries(Object.entries(map).filter(([key]) => !keys.includes(key)));
}

function written(file: Raw): string {
  return stringify(file, { aliasDuplicateObjects: false, lineWidth: 0 });
}

function maskSection({ selectRatio, sites }: MaskChoice): Raw {
  const settings = sites.map(({ site, skillRatio, selection, margin, layers }) => {
    const ratio = layers === undefined ? { skill_ratio: skillRatio } : { layers };
    const contrast = isContrasting(selection) ? { margin } : {};
    return [site, { ...ratio, selection, ...contrast }] as const;
  });
  return { select_ratio: selectRatio, sites: Object.fromEntries(settings) };
}
