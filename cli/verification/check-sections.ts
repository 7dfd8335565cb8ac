import { inCampaign } from '../../coordinator/plan/campaign-place.ts';
import type { Campaign } from '../../coordinator/plan/campaign.ts';
import { refuseSweptProbes } from '../tuning/probe-lists.ts';
import { describedClassifier } from './classifier-path.ts';
import { campaignToVerify } from './verify-campaign.ts';

/**
 * Refuses what `lethe verify` and `lethe tune` would refuse of their sections: the classifier, labels, heads, images that
 * were used already.
 *
 * @throws LetheError with the line of the setting.
 */
export async function checkSections(yaml: string, file: string, campaign: Campaign): Promise<void> {
  if (campaign.verify === undefined) return;
  const within = inCampaign(yaml, file);
  await within(async () => {
    const classifier = await describedClassifier(campaign, file);
    const { tuned } = campaignToVerify(yaml, file, campaign, undefined, classifier.heads);
    refuseSweptProbes(campaign, tuned, file);
  });
}
