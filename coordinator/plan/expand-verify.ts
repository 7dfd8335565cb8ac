import type { CampaignFile } from './campaign-schema.ts';
import type { CampaignSampling, ConceptVerification, TestPromptSource, Verification } from './campaign.ts';

type Section = NonNullable<CampaignFile['verify']>;
type ConceptSection = CampaignFile['concepts'][number]['verify'];

const kinds = ['indirect', 'misspelt', 'rephrased'] as const;

/** The campaign's section with its defaults filled in. @param sampling the section's own, or the campaign's */
export function expandVerification(section: Section, sampling: CampaignSampling): Verification {
  const { classifier, prompts, labels, images, alternative_images, seed, together, present } = section;
  return {
    ...(classifier === undefined ? {} : { classifier }),
    prompts: sourceOf(prompts, labels),
    images,
    alternativeImages: alternative_images,
    seed,
    sampling,
    together,
    present,
  };
}

/** A concept's section; what it leaves out is the campaign's. */
export function expandConceptVerification(own: ConceptSection, campaign: Section | undefined): ConceptVerification {
  const { label, head, sides = [], prompts, labels, together, alternatives } = own ?? {};
  const isOwn = prompts !== undefined || labels !== undefined;
  // Thresholds of the campaign are about erasure, and sides are measured otherwise.
  const above = sides.length > 0 ? {} : (campaign?.thresholds ?? {});
  const thresholds = definedOf({ ...above, ...own?.thresholds });
  return {
    ...(label === undefined ? {} : { label }),
    ...(head === undefined ? {} : { head }),
    sides,
    ...(isOwn ? { prompts: sourceOf(prompts ?? campaign?.prompts ?? [], { ...campaign?.labels, ...labels }) } : {}),
    thresholds,
    together: { ...thresholds, ...definedOf(together ?? {}) },
    alternatives: kinds.flatMap((kind) => {
      const list = alternatives?.[kind];
      return list === undefined ? [] : [{ kind, prompts: list }];
    }),
  };
}

function sourceOf(templates: readonly string[], labels: Section['labels'] = {}): TestPromptSource {
  return {
    templates,
    labels: Object.fromEntries(
      Object.entries(labels).map(([head, { only, without = [], phrases = {} }]) => [
        head,
        { ...(only === undefined ? {} : { only }), without, phrases },
      ]),
    ),
  };
}

function definedOf(given: NonNullable<Section['thresholds']>): ConceptVerification['thresholds'] {
  return Object.fromEntries(Object.entries(given).filter(([, least]) => least !== undefined));
}
