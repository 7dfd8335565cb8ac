import { type Blobs } from '../../shared/bus/blobs.ts';
import type { Checkpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import type { Campaign } from '../plan/campaign.ts';
import { inCampaign } from '../plan/campaign-place.ts';
import { campaignFacts, openAsAsked } from '../plan/campaign-facts.ts';
import { type CheckpointFacts, checkpointFacts } from '../plan/checkpoint-facts.ts';
import { parseCampaign } from '../plan/parse-campaign.ts';
import { planCampaign } from '../plan/plan-campaign.ts';
import type { Plan, UnitPlan } from '../plan/plan.ts';
import type { CampaignEntry } from '../store/campaign-entry.ts';
import { parseImageJob } from '../store/image-job.ts';
import type { CheckpointShelf } from './checkpoint-shelf.ts';

/** In place of a class that nobody has pinned yet: it is part of hashes, and of no count. */
export const unpinned = 'unpinned';

/** The numerics class of a plan; undefined where none is pinned yet. */
export function pinnedClass({ numerics }: UnitPlan): string | undefined {
  return numerics === unpinned ? undefined : numerics;
}

/** What an entry's units are made of, once its text is read. */
export type Plannable = PlannableSweep | PlannableImages;

/** Images: their units were cut when they were asked for. */
export interface PlannableImages {
  readonly kind: 'images';
  plan(): UnitPlan;
}

/** A campaign on a checkpoint of this machine: all that is needed to plan it in any numerics class. */
export interface PlannableSweep {
  readonly kind: 'sweep';
  readonly campaign: Campaign;
  readonly checkpoint: Checkpoint;
  readonly facts: CheckpointFacts;
  plan(numerics: string): Plan;
}

/** @throws LetheError for every problem of the text, and for what the checkpoint cannot give. */
export async function plannable(text: string, source: string, shelf: CheckpointShelf): Promise<PlannableSweep> {
  const campaign = parseCampaign(text, source);
  const within = inCampaign(text, source);
  return within(async () => {
    const { id, checkpoint } = await openAsAsked(campaign, (directory, variant) => shelf.open(directory, variant));
    return withFacts(campaign, checkpoint, await campaignFacts(campaign, checkpoint, id));
  });
}

/** What an entry asks for. @throws LetheError `checkpoint-layout` if this machine does not have a campaign's checkpoint. */
export async function plannableEntry(entry: CampaignEntry, blobs: Blobs, shelf: CheckpointShelf): Promise<Plannable> {
  const bytes = await blobs.get(entry.text.name, entry.text.digest);
  if (entry.kind === 'images') {
    const plan = parseImageJob(bytes, entry.id);
    return { kind: 'images', plan: () => plan };
  }
  const text = Buffer.from(bytes).toString('utf8');
  const campaign = parseCampaign(text, entry.source);
  const found = await shelf.find(entry.checkpoint, campaign.checkpoint, campaign.variant);
  if (found !== undefined) {
    const { checkpoint, id } = found;
    return withFacts(campaign, checkpoint, await checkpointFacts(checkpoint, id, campaign.sampling));
  }
  throw new LetheError('checkpoint-layout', {
    what: `cannot plan the campaign ${entry.id}`,
    where: entry.checkpoint,
    why: 'no directory that this coordinator knows has this checkpoint',
    next: 'name its directory with --checkpoint; other coordinators that have it go on meanwhile',
  });
}

function withFacts(campaign: Campaign, checkpoint: Checkpoint, facts: CheckpointFacts): PlannableSweep {
  return { kind: 'sweep', campaign, checkpoint, facts, plan: (numerics) => planCampaign(campaign, facts, numerics) };
}
