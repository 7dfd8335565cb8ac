import { z } from 'zod';
import { isTemplate } from '../../shared/verification/prompt-template.ts';
import { firstSeed, name, prompt, sampling } from './campaign-parts.ts';

/** The form of what a campaign says of its verification; docs/guide/campaign.md explains it. */

const share = z.number().min(0).max(1);

/** A prompt with places for labels. */
const template = prompt.refine(
  isTemplate,
  'a brace belongs to {head} or {a head}, where head is one of the classifier',
);

const templates = z.array(template).min(1).max(1000);

const thresholds = z.strictObject({
  ua: share.optional(),
  ira: z.number().min(0).max(10).optional(),
  cra: z.number().min(0).max(10).optional(),
  balance: z.number().min(0).max(0.5).optional(),
});

const labels = z.strictObject({
  only: z.array(name).min(1).optional(),
  without: z.array(name).min(1).optional(),
  phrases: z.record(name, prompt).optional(),
});

/** Of the whole campaign. */
export const verification = z.strictObject({
  classifier: z.string().min(1).max(4096).optional(),
  prompts: templates,
  labels: z.record(name, labels).optional(),
  images: z.int().min(1).max(100_000).default(320),
  alternative_images: z.int().min(1).max(10_000).default(16),
  seed: firstSeed.default('1000'),
  sampling: sampling.optional(),
  together: z.boolean().default(true),
  present: share.gt(0).default(0.5),
  thresholds: thresholds.optional(),
});

const alternatives = z.array(prompt.min(1)).min(1).max(10_000).optional();
const alternativeLists = z.strictObject({ indirect: alternatives, misspelt: alternatives, rephrased: alternatives });

/** Of one concept. */
export const conceptVerification = z.strictObject({
  label: name.optional(),
  head: name.optional(),
  sides: z.array(name).min(2).max(100).optional(),
  prompts: templates.optional(),
  labels: z.record(name, labels).optional(),
  thresholds: thresholds.optional(),
  together: thresholds.optional(),
  alternatives: alternativeLists.optional(),
});

/** The keys that are known inside one of the sections. @param rest the path from the section on */
export function verificationKeys(rest: readonly string[], section: 'campaign' | 'concept'): readonly string[] {
  const [first] = rest;
  switch (first) {
    case undefined:
      return Object.keys((section === 'campaign' ? verification : conceptVerification).shape);
    case 'thresholds':
    case 'together':
      return Object.keys(thresholds.shape);
    case 'alternatives':
      return Object.keys(alternativeLists.shape);
    case 'labels':
      return Object.keys(labels.shape);
    default:
      return rest.at(-1) === 'size' ? ['width', 'height'] : Object.keys(sampling.shape);
  }
}
