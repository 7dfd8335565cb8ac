import { type Blobs } from '../../shared/bus/blobs.ts';
import type { Checkpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import type { Campaign } from '../plan/campaign.ts';
import { type CheckpointFacts, checkpointFacts } from '../plan/checkpoint-facts.ts';
import { parseCampaign } from '../plan/parse-campaign.ts';
import { planCampaign } from '../plan/plan-campaign.ts';
import type { Plan } from '../plan/plan.ts';
import type { CampaignEntry } from '../store/campaign-entry.ts';
import type { CheckpointShelf } from './checkpoint-shelf.ts';

/** In place of a class that nobody has pinned yet: it is part of hashes, and of no count. */
export const unpinned = 'unpinned';

/** The numerics class of a plan; undefined where none is pinned yet. */
export function pinnedClass({ numerics }: Plan): string | undefined {
  return numerics === unpinned ? undefined : numerics;
}

/** A campaign on a checkpoint of this machine: all that is needed to plan it in any numerics class. */
export interface Plannable {
  readonly campaign: Campaign;
  readonly checkpoint: Checkpoint;
  readonly facts: CheckpointFacts;
  plan(numerics: string): Plan;
}

/** @throws LetheError for every problem of the text, and for what the checkpoint cannot give. */
export async function plannable(text: string, source: string, shelf: CheckpointShelf): Promise<Plannable> {
  const campaign = parseCampaign(text, source);
  const { id, checkpoint } = await shelf.open(campaign.checkpoint, campaign.variant);
  return withFacts(campaign, checkpoint, id);
}

/** The campaign of an entry. @throws LetheError `checkpoint-layout` if this machine does not have its checkpoint. */
export async function plannableEntry(entry: CampaignEntry, blobs: Blobs, shelf: CheckpointShelf): Promise<Plannable> {
  const text = Buffer.from(await blobs.get(entry.text.name, entry.text.digest)).toString('utf8');
  const campaign = parseCampaign(text, entry.source);
  const found = await shelf.find(entry.checkpoint, campaign.checkpoint, campaign.variant);
  if (found !== undefined) return withFacts(campaign, found.checkpoint, found.id);
  throw new LetheError('checkpoint-layout', {
    what: `cannot plan the campaign ${entry.id}`,
    where: entry.checkpoint,
    why: 'no directory that this coordinator knows has this checkpoint',
    next: 'name its directory with --checkpoint; other coordinators that have it go on meanwhile',
  });
}

async function withFacts(campaign: Campaign, checkpoint: Checkpoint, id: string): Promise<Plannable> {
  const facts = await checkpointFacts(checkpoint, id, campaign.sampling);
  return { campaign, checkpoint, facts, plan: (numerics) => planCampaign(campaign, facts, numerics) };
}
