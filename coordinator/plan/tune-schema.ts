import { z } from 'zod';
import { selections } from '../../shared/method/conceptprune/settings.ts';
import { type SiteName, sites } from '../../shared/model/site.ts';
import { sampling } from './campaign-parts.ts';

/** The form of a campaign's `tune` section; docs/guide/verify-and-tune.md explains it. */

const siteNames = sites.map(({ name }) => name) as [SiteName, ...SiteName[]];
const ratios = z.array(z.number().gt(0).lte(1)).min(1).max(20);

const margins = z.array(z.number().min(0).max(1000)).min(1).max(20);

/** What may be tried; what is absent is the command's own (cli/tuning/tuning-limits.ts). */
const grid = z.strictObject({
  sites: z
    .array(z.array(z.enum(siteNames)).min(1))
    .min(1)
    .max(20)
    .optional(),
  skill_ratio: z.partialRecord(z.enum(siteNames), ratios).optional(),
  selection: z.array(z.enum(selections)).min(1).optional(),
  /** Of contrast. */
  margin: margins.optional(),
  specific_margin: z.partialRecord(z.enum(siteNames), margins).optional(),
  select_ratio: z.array(z.number().min(0).lt(1)).min(1).max(20).optional(),
  against: z
    .array(z.enum(['base', 'retain']))
    .min(1)
    .optional(),
});

export const tune = z.strictObject({
  /** Images that may be made for a group. */
  budget: z.int().min(16).max(10_000_000).default(3000),
  /** Validation images of each target, and as many of the rest. */
  images: z.int().min(4).max(100_000).default(64),
  /** The first of their seeds. */
  seed: z.int().min(0).default(1_000_000),
  /** Of the images; that of verify if absent. Fewer steps try more masks. */
  sampling: sampling.optional(),
  /** Concepts that will be active together; every other is tuned by itself. */
  together: z.array(z.array(z.string()).min(2)).optional(),
  grid: grid.optional(),
});
export type TuneFile = z.infer<typeof tune>;

/** The keys known at a path below `tune`. */
export function knownTuneKeys([first, second]: readonly (string | number)[]): readonly string[] {
  if (first === 'sampling') return second === 'size' ? ['width', 'height'] : Object.keys(sampling.shape);
  if (first !== 'grid') return Object.keys(tune.shape);
  return second === 'skill_ratio' || second === 'specific_margin' ? siteNames : Object.keys(grid.shape);
}
