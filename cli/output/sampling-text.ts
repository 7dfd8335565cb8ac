import type { CampaignSampling } from '../../coordinator/plan/campaign.ts';

/** Sampling settings in words, with those that are the checkpoint's own. */
export function samplingText({ scheduler, steps, guidance, size }: CampaignSampling): string {
  const own = scheduler ?? "the checkpoint's scheduler";
  const area = size === undefined ? "the checkpoint's size" : `${size.width}x${size.height}`;
  return `${steps} steps (${own}), guidance ${guidance}, ${area}`;
}
