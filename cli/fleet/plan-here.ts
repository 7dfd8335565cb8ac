import { stat } from 'node:fs/promises';
import { planToMessage } from '../../coordinator/api/campaign-message.ts';
import type { PlanResponse } from '../../gen/fleet/v1/campaign.ts';
import { defaultRates } from '../../coordinator/plan/bill.ts';
import { campaignFacts, openAsAsked } from '../../coordinator/plan/campaign-facts.ts';
import { inCampaign } from '../../coordinator/plan/campaign-place.ts';
import type { Campaign } from '../../coordinator/plan/campaign.ts';
import { planCampaign } from '../../coordinator/plan/plan-campaign.ts';
import type { Plan } from '../../coordinator/plan/plan.ts';
import { unpinned } from '../../coordinator/run/plan-entry.ts';
import { planSummary } from '../../coordinator/run/plan-summary.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { emojiSdDirectory } from '../default-checkpoint.ts';
import { stopSignals } from '../launcher/stop-signals.ts';
import { storedIn } from '../launcher/local-fleet.ts';
import { hasFleet, openFleet } from './open-fleet.ts';
import type { FleetSettings } from './fleet-settings.ts';

/** In place of an id: hashing a checkpoint of gigabytes would say nothing of what a campaign costs. */
const unhashed = 'unhashed';

/**
 * Plans a campaign on a checkpoint of this machine, and asks nobody.
 *
 * @param file path of the campaign
 * @throws LetheError for what the checkpoint does not give, with the line of the setting.
 */
export function planHere(yaml: string, file: string, campaign: Campaign): Promise<Plan> {
  const within = inCampaign(yaml, file);
  return within(async () => {
    const checkpoint = await openAsAsked(campaign, (directory = emojiSdDirectory, variant) =>
      openCheckpoint(directory, variant),
    );
    const facts = await campaignFacts(campaign, checkpoint, unhashed);
    return planCampaign(campaign, facts, campaign.numerics ?? unpinned);
  });
}

/**
 * Refuses what a fleet would refuse, before one is started for the campaign. A fleet that is there has checkpoints of its
 * own, and answers at once.
 */
export async function checkBeforeFleet(
  yaml: string,
  file: string,
  campaign: Campaign,
  settings: FleetSettings,
): Promise<void> {
  if (!(await hasFleet(settings))) await planHere(yaml, file, campaign);
}

/**
 * What a campaign costs: asked of the fleet that is there. Where there is none it is reckoned here, and one is started only
 * if its folder holds results, to say which need not be made again; one that does not start is done without.
 *
 * @param workers of a fleet that is started
 * @throws LetheError for what the campaign asks for and cannot have.
 */
export async function planOf(
  yaml: string,
  file: string,
  campaign: Campaign,
  settings: FleetSettings,
  workers: number,
  say: (text: string) => void,
): Promise<PlanResponse> {
  const { data } = settings;
  const here = (await hasFleet(settings)) ? undefined : await planHere(yaml, file, campaign);
  const isStored = await stat(storedIn(data)).then(
    () => true,
    () => false,
  );
  if (here !== undefined && !isStored) return planSummaryHere(here, workers, []);
  const signals = stopSignals();
  try {
    const checkpoints = [campaign.checkpoint ?? emojiSdDirectory];
    const fleet = await openFleet(settings, { workers, checkpoints, environment: process.env }, say);
    signals.onSecond(() => fleet.own?.kill());
    try {
      return await fleet.client.plan({ yaml, source: file, trial: false });
    } finally {
      await fleet.close();
    }
  } catch (error) {
    if (here === undefined || !(error instanceof LetheError) || error.isInput) throw error;
    return planSummaryHere(here, workers, [`what is stored in ${data} is not counted: ${error.what}: ${error.why}`]);
  } finally {
    signals.release();
  }
}

/** What a plan costs where no fleet tells what is stored. */
export function planSummaryHere(plan: Plan, workers: number, warnings: readonly string[]): PlanResponse {
  return planToMessage(planSummary(plan, () => false, defaultRates(plan, workers), [], warnings));
}
