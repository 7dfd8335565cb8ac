import { z } from 'zod';
import { LetheError } from '../../error/lethe-error.ts';
import { sites, type SiteName } from '../../model/site.ts';

/**
 * By what the weights of a row are ranked. `reference` (arXiv 2405.19237): S_target, then those with S_target > S_base.
 * `contrast`: S_target − margin · S_base, then the same; on small models, where one neuron serves many concepts, it
 * separates better. `specific`: as contrast, and of these only what has S_target > margin · S_base: with a skill ratio of 1
 * the neurons that the target activates more than margin times as much as the base, whole.
 */
export type Selection = (typeof selections)[number];
export const selections = ['reference', 'contrast', 'specific'] as const;

/** Whether a selection has a margin, and compares with the retain list where there is one. */
export function isContrasting(selection: Selection): boolean {
  return selection !== 'reference';
}

/** How one layer's weights are selected. */
export interface LayerSettings {
  /** Share of each row that may be pruned at a step: ⌊skillRatio · in⌋ weights. In (0, 1]. */
  readonly skillRatio: number;
  readonly selection: Selection;
  /** Of `contrast` and `specific`; above 1 trades erasure for what is kept. At least 0. */
  readonly margin: number;
  /** A weight is pruned if it was selected at more than selectRatio · τ of the τ steps. In [0, 1). */
  readonly selectRatio: number;
}

/** How masks are made of norms: everything a mask depends on besides checkpoint, prompts and sampling. */
export interface ConceptPruneSettings {
  /** Steps that are observed, from the first. For text there is only one pass, and τ counts as 1. */
  readonly tau: number;
  readonly selectRatio: number;
  /** Sites that are pruned, each with its own settings; at least one. */
  readonly sites: readonly SiteSettings[];
}

/** Settings of one site. */
export interface SiteSettings {
  readonly site: SiteName;
  readonly skillRatio: number;
  readonly selection: Selection;
  readonly margin: number;
  /** By name, the only layers of the site that are pruned, each with a ratio in place of `skillRatio`; absent, all are. */
  readonly layers?: LayerRatios;
}

/** Shares of each row that may be pruned, above 0 and at most 1, by a layer's path (its weight's name without `.weight`). */
export type LayerRatios = Readonly<Record<string, number>>;

const siteNames = sites.map(({ name }) => name) as [SiteName, ...SiteName[]];
const skillRatio = z.number().gt(0).max(1);
const selection = z.enum(selections);
/** SDXL's UNet has 70 of a site. */
const maxLayers = 1000;
const margin = z.number().min(0).max(1000);

/** At least one layer; more than a checkpoint of this kind can have are refused before they are looked up. */
export const layerRatiosSchema = z
  .record(z.string().min(1).max(300), skillRatio)
  .refine((layers) => Object.keys(layers).length > 0, 'it names no layer; leave it out for all of them')
  .refine((layers) => Object.keys(layers).length <= maxLayers, `more than ${maxLayers} layers are named`);

/** As a campaign writes them: what a site does not say is the method's, what that does not say is the paper's. */
export const conceptPruneSettingsSchema = z.strictObject({
  tau: z.int().min(1).max(1000).default(10),
  select_ratio: z.number().min(0).lt(1).default(0),
  skill_ratio: skillRatio.default(0.01),
  selection: selection.default('reference'),
  margin: margin.default(1),
  sites: z
    .array(
      z.strictObject({
        site: z.enum(siteNames),
        skill_ratio: skillRatio.optional(),
        selection: selection.optional(),
        margin: margin.optional(),
        layers: layerRatiosSchema.optional(),
      }),
    )
    .min(1)
    .default([{ site: 'ffn2' }])
    .refine((list) => new Set(list.map(({ site }) => site)).size === list.length, 'a site is listed twice'),
});

/**
 * Settings with nothing left to a default, sites in the order of their names: equal settings are equal values.
 *
 * @throws LetheError `method-invalid` that names every key at fault.
 */
export function parseConceptPruneSettings(given: unknown): ConceptPruneSettings {
  const parsed = conceptPruneSettingsSchema.safeParse(given);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'settings'}: ${issue.message}`);
    throw new LetheError('method-invalid', {
      what: 'cannot use the settings of conceptprune',
      where: 'settings',
      why: faults.join('; '),
      next: 'skill_ratio in (0, 1], select_ratio in [0, 1), tau at least 1, selection reference, contrast or specific, margin at least 0',
    });
  }
  const { tau, select_ratio, sites: listed, ...defaults } = parsed.data;
  const own = listed.map((site) => ({
    site: site.site,
    skillRatio: site.skill_ratio ?? defaults.skill_ratio,
    selection: site.selection ?? defaults.selection,
    margin: site.margin ?? defaults.margin,
    ...(site.layers === undefined ? {} : { layers: site.layers }),
  }));
  return { tau, selectRatio: select_ratio, sites: own.sort((a, b) => (a.site < b.site ? -1 : 1)) };
}

/** Settings of a layer of a site; undefined if the site, or this layer of it, is not pruned. */
export function layerSettings(
  { sites: all, selectRatio }: ConceptPruneSettings,
  site: SiteName,
  layer: string,
): LayerSettings | undefined {
  const found = all.find((each) => each.site === site);
  if (found === undefined) return undefined;
  const { skillRatio: usual, selection: by, margin: factor, layers } = found;
  // Not by a key's mere presence: a name such as `constructor` is one of every object.
  const ratio = layers === undefined ? usual : Object.hasOwn(layers, layer) ? layers[layer] : undefined;
  return ratio === undefined ? undefined : { skillRatio: ratio, selection: by, margin: factor, selectRatio };
}
