import { type SiteName, sites } from '../../shared/model/site.ts';
import type { TrajectoryKey } from '../../shared/unit/unit.ts';
import type { CampaignFile, MaskFile } from './campaign-schema.ts';
import type { Campaign, CampaignSampling, Concept, MaskSettings, SiteMask, Tuning } from './campaign.ts';
import { expandConceptVerification, expandVerification } from './expand-verify.ts';
import type { TuneFile } from './tune-schema.ts';
import { expandPrompts, inStyle, type PromptEntry } from './prompt-list.ts';

type ConceptFile = CampaignFile['concepts'][number];
type Source = string | readonly PromptEntry[] | undefined;

/** A well-formed file with its lists written out and its defaults filled in. Nothing is checked here. */
export function expandCampaign(file: CampaignFile): Campaign {
  const { name, checkpoint, variant, numerics, tau, window = tau, batch } = file;
  const listOf = (source: Source): readonly string[] =>
    expandPrompts(typeof source === 'string' ? (file.prompts?.[source] ?? []) : (source ?? []));
  const keysOf = (prompts: readonly string[], seeds: readonly string[] = []): readonly TrajectoryKey[] =>
    prompts.map((prompt, i) => ({ prompt, seed: seeds[i] ?? file.seed }));

  const concepts = file.concepts.map((concept): Concept => {
    const { target, base } = pairsOf(concept, listOf);
    return {
      name: concept.name,
      kind: concept.kind,
      target: keysOf(target, concept.seeds),
      base: keysOf(base, concept.seeds),
      mask: maskOf(concept.mask, file.mask),
      verify: expandConceptVerification(concept.verify, file.verify),
    };
  });
  return {
    name,
    ...(checkpoint === undefined ? {} : { checkpoint }),
    ...(variant === undefined ? {} : { variant }),
    ...(numerics === undefined ? {} : { numerics }),
    sampling: samplingOf(file.sampling),
    tau,
    window,
    batch,
    retain: keysOf(listOf(file.retain)),
    concepts: concepts.sort((a, b) => (a.name < b.name ? -1 : 1)),
    ...(file.tune === undefined ? {} : { tune: tuningOf(file.tune) }),
    ...(file.verify === undefined
      ? {}
      : { verify: expandVerification(file.verify, samplingOf(file.verify.sampling ?? file.sampling)) }),
  };
}

function pairsOf(
  concept: ConceptFile,
  listOf: (source: Source) => readonly string[],
): { readonly target: readonly string[]; readonly base: readonly string[] } {
  const { phrase } = concept;
  if (phrase === undefined) return { target: listOf(concept.target), base: listOf(concept.base) };
  const things = listOf(concept.things);
  return { target: things.map((thing) => inStyle(thing, phrase)), base: things };
}

/** Its sampling is that of verify where it gives none. */
function tuningOf({ sampling, ...tuning }: TuneFile): Tuning {
  return { ...tuning, ...(sampling === undefined ? {} : { sampling: samplingOf(sampling) }) };
}

function samplingOf({ scheduler, steps, guidance, size }: CampaignFile['sampling']): CampaignSampling {
  return {
    ...(scheduler === undefined ? {} : { scheduler }),
    steps,
    guidance,
    ...(size === undefined ? {} : { size }),
  };
}

/** How a concept is masked where neither it nor its campaign says anything. */
export const defaultMask: MaskSettings = maskOf(undefined, undefined);

/** The sites that the concept names, else the campaign's, else ffn2; what a site leaves out is the campaign's for it. */
function maskOf(own: MaskFile | undefined, campaign: MaskFile | undefined): MaskSettings {
  const above = campaign?.sites ?? {};
  const given = own?.sites ?? campaign?.sites ?? { ffn2: {} };
  const names = sites.map((site) => site.name).filter((name) => name in given);
  const siteMask = (site: SiteName): SiteMask => {
    const [mine, usual] = [given[site], above[site]];
    // A concept that gives a ratio means all layers, whatever layers the campaign names.
    const layers = mine?.layers ?? (mine?.skill_ratio === undefined ? usual?.layers : undefined);
    return {
      site,
      skillRatio: mine?.skill_ratio ?? usual?.skill_ratio ?? 0.01,
      selection: mine?.selection ?? usual?.selection ?? 'reference',
      margin: mine?.margin ?? usual?.margin ?? 1,
      ...(layers === undefined ? {} : { layers }),
    };
  };
  return { selectRatio: own?.select_ratio ?? campaign?.select_ratio ?? 0, sites: names.map(siteMask) };
}
