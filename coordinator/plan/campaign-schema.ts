import { z } from 'zod';
import type { Path } from '../../shared/config/problem.ts';
import { conceptKinds } from '../../shared/method/concept.ts';
import { layerRatiosSchema, selections } from '../../shared/method/conceptprune/settings.ts';
import { type SiteName, sites } from '../../shared/model/site.ts';
import { name, prompt, promptEntry, promptSource, sampling, seed } from './campaign-parts.ts';
import { knownTuneKeys, tune } from './tune-schema.ts';
import { conceptVerification, verification, verificationKeys } from './verify-schema.ts';

/** The form of a campaign file; docs/guide/campaign.md explains it. What sections say of each other is checked apart. */

export const maxConcepts = 10_000;

const siteMask = z.strictObject({
  skill_ratio: z.number().gt(0).lte(1).optional(),
  selection: z.enum(selections).optional(),
  margin: z.number().min(0).max(1000).optional(),
  layers: layerRatiosSchema.optional(),
});

const siteNames = sites.map((site) => site.name);

/** `null` for a site whose settings are all inherited. */
const siteMasks = z.strictObject(
  Object.fromEntries(siteNames.map((site) => [site, siteMask.nullable().optional()])) as Record<
    SiteName,
    z.ZodOptional<z.ZodNullable<typeof siteMask>>
  >,
);

export const maskSettings = z.strictObject({
  select_ratio: z.number().min(0).lt(1).optional(),
  sites: siteMasks.optional(),
});

export const concept = z.strictObject({
  name,
  kind: z.enum(conceptKinds),
  target: promptSource.optional(),
  base: promptSource.optional(),
  things: promptSource.optional(),
  phrase: prompt.min(1).optional(),
  seeds: z.array(seed).min(1).optional(),
  mask: maskSettings.optional(),
  verify: conceptVerification.optional(),
});

export const campaignSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'a campaign has a name of letters, digits, - and _, at most 64'),
  checkpoint: z.string().min(1).max(4096).optional(),
  variant: z.string().min(1).max(64).optional(),
  numerics: z.string().min(1).max(200).optional(),
  sampling: sampling.default({ steps: 50, guidance: 7.5 }),
  tau: z.int().min(1).max(1100).default(10),
  window: z.int().min(1).max(1100).optional(),
  batch: z.int().min(1).max(1024).default(8),
  seed: seed.default('0'),
  mask: maskSettings.optional(),
  prompts: z.record(name, z.array(promptEntry).min(1)).optional(),
  retain: promptSource.optional(),
  concepts: z.array(concept).min(1).max(maxConcepts),
  tune: tune.optional(),
  verify: verification.optional(),
});
export type CampaignFile = z.infer<typeof campaignSchema>;
export type MaskFile = z.infer<typeof maskSettings>;

/** The keys that are known at a path, in the order in which the guide explains them. */
export function knownKeys(path: Path): readonly string[] {
  const at = path.map((step) => (typeof step === 'number' ? '#' : step));
  const inConcept = at[0] === 'concepts' && at[1] === '#';
  const rest = inConcept ? at.slice(2) : at;
  if (rest.length === 0) return Object.keys((inConcept ? concept : campaignSchema).shape);
  if (rest[0] === 'verify') return verificationKeys(rest.slice(1), inConcept ? 'concept' : 'campaign');
  if (rest[0] === 'mask') {
    if (rest.length === 1) return Object.keys(maskSettings.shape);
    if (rest.length === 2) return siteNames;
    // Names of layers are the checkpoint's: the plan knows them.
    return rest.length === 3 ? Object.keys(siteMask.shape) : [];
  }
  if (!inConcept && rest[0] === 'tune') return knownTuneKeys(rest.slice(1));
  if (rest.at(-1) === 'size') return ['width', 'height'];
  return rest[0] === 'sampling' ? Object.keys(sampling.shape) : ['prompt', 'count', 'each', 'of'];
}
