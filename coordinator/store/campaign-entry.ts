import { z } from 'zod';
import { contentHash } from '../../shared/unit/content-hash.ts';
import { buckets } from '../../shared/bus/names.ts';
import { blob, decodeStored, failure, invalidRecord, name } from './stored-json.ts';

const conceptEnd = z.discriminatedUnion('kind', [
  /** Its candidate: the mask's name in the blob store is `mask/<hash>`. */
  z.object({ kind: z.literal('mask'), concept: name, hash: z.string() }),
  z.object({ kind: z.literal('failed'), concept: name, failure }),
]);
export type ConceptEnd = z.infer<typeof conceptEnd>;

/** What is known of a campaign besides its units' records: one document, changed by compare-and-set alone. */
const campaignEntrySchema = z.object({
  /** `campaignId` of its text. */
  id: name,
  /** A sweep whose masks are to be tried, and not to be found by their concepts. */
  trial: z.boolean().default(false),
  /** A sweep, whose text is a campaign's YAML, or images, whose text is `imageJobBytes`. */
  kind: z.enum(['sweep', 'images']).default('sweep'),
  /** As it was submitted. */
  text: blob,
  /** Where it came from, for messages. */
  source: z.string(),
  /** When, milliseconds since 1970; absent from a build that did not note it. */
  submittedAt: z.int().min(0).optional(),
  /** Id of the checkpoint. */
  checkpoint: name,
  /** The numerics class it is pinned to; absent until a worker that can run it has been seen. */
  numerics: name.optional(),
  state: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('active') }),
    z.object({ kind: z.literal('cancelled'), reason: z.string() }),
    z.object({
      kind: z.literal('done'),
      concepts: z.array(conceptEnd),
      /** Images of which some could not be made: the failure of the first such unit, and how many. */
      failed: z.object({ units: z.int().min(1), failure }).exactOptional(),
    }),
  ]),
});
export type CampaignEntry = z.infer<typeof campaignEntrySchema>;

/** How a campaign ended. */
export type Ending = Omit<Extract<CampaignEntry['state'], { kind: 'done' }>, 'kind'>;

/** The entry under a key. @throws LetheError `record-invalid` */
export function entryOf(key: string, sequence: number, bytes: Uint8Array): CampaignEntry {
  const where = `campaign ${key}, message ${sequence} of KV_${buckets.campaigns}`;
  const entry = decodeStored(campaignEntrySchema, bytes, where);
  if (entry.id !== key) throw invalidRecord(where, `what it holds is the entry of ${entry.id}`);
  return entry;
}

/**
 * Whether submitting it again goes on with it: it was cancelled, or some concepts have no mask. What failed for good fails
 * again at once, by its records; what somebody has put right since is run.
 */
export function canGoOn({ state }: CampaignEntry): boolean {
  return state.kind === 'cancelled' || (state.kind === 'done' && state.concepts.some(({ kind }) => kind === 'failed'));
}

/** The campaign of a text: the same text is the same campaign. The name leads, for people. */
export function campaignId(campaign: string, text: string): string {
  const slug = campaign.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return `${slug}-${contentHash('campaign 1', text).slice(0, 12)}`;
}
