import { z } from 'zod';
import { type SiteName, sites } from '../../shared/model/site.ts';

/** The form of a campaign's `tune` section; docs/guide/verify-and-tune.md explains it. */

const siteNames = sites.map(({ name }) => name) as [SiteName, ...SiteName[]];
const share = z.number().gt(0).lte(1);
const shares = z.array(share).min(1).max(20);
const word = z.string().min(1).max(200);

const thresholds = z.strictObject({ UA: share.optional(), IRA: share.optional(), CRA: share.optional() });

/** Labels of a classifier's head, and how a prompt says each. */
const wording = z.record(word, word).refine((words) => Object.keys(words).length > 1, 'name at least two labels');

const validation = z.strictObject({
  /** `{head}` stands for each head's words. */
  templates: z.array(word).min(1).max(50),
  heads: z.record(word, wording).refine((heads) => Object.keys(heads).length > 0, 'name at least one head'),
  target: z.int().min(8).max(10_000).default(48),
  others: z.int().min(8).max(10_000).default(96),
  seed: z.int().min(0).default(1_000_000),
});

/** What may be tried; defaults are in tuning-limits.ts of the command. */
const grid = z.strictObject({
  sites: z
    .array(z.array(z.enum(siteNames)).min(1))
    .min(1)
    .max(20)
    .optional(),
  skill_ratio: z.partialRecord(z.enum(siteNames), shares).optional(),
  selection: z
    .array(z.enum(['reference', 'contrast']))
    .min(1)
    .optional(),
  margin: z.array(z.number().min(0).max(1000)).min(1).max(20).optional(),
  select_ratio: z.array(z.number().min(0).lt(1)).min(1).max(20).optional(),
  against: z
    .array(z.enum(['base', 'retain']))
    .min(1)
    .optional(),
});

export const tune = z.strictObject({
  classifier: z.string().min(1).max(4096),
  budget: z.int().min(100).max(10_000_000).default(3000),
  together: z.array(z.array(z.string()).min(2)).optional(),
  thresholds: thresholds.optional(),
  concepts: z.record(word, thresholds).optional(),
  sampling: z
    .strictObject({ steps: z.int().min(1).max(1000).optional(), guidance: z.number().min(0).max(1000).optional() })
    .optional(),
  validation,
  grid: grid.optional(),
});
export type TuneFile = z.infer<typeof tune>;

/** The keys known at a path below `tune`. */
export function knownTuneKeys(path: readonly (string | number)[]): readonly string[] {
  const [first, second] = path;
  if (first === undefined) return Object.keys(tune.shape);
  if (first === 'grid') return second === 'skill_ratio' ? siteNames : Object.keys(grid.shape);
  if (first === 'validation') return Object.keys(validation.shape);
  if (first === 'sampling') return ['steps', 'guidance'];
  return Object.keys(thresholds.shape);
}
