import type { Campaign, CampaignSampling } from '../../coordinator/plan/campaign.ts';
import type { ImageSampling } from '../../gen/fleet/v1/image.ts';
import type { FleetClient } from '../fleet/fleet-client.ts';
import type { ImageWatcher } from '../fleet/request-images.ts';
import { type Classify, drawTests } from './draw-tests.ts';
import { measureTests, type VariantResult } from './measure-tests.ts';
import { type PromptReuse, promptReuse } from './prompt-reuse.ts';
import { refuseOverlap, sweptTrajectories, type UsedTrajectories } from './refuse-overlap.ts';
import { testPlan, type Variant } from './test-plan.ts';

/** What sees test images. */
export interface Judge {
  /** Labels by head. */
  readonly heads: Readonly<Record<string, readonly string[]>>;
  readonly classify: Classify;
}

/** What verification has found. */
export interface Verification {
  readonly results: readonly VariantResult[];
  /** Distinct images that were looked at. */
  readonly images: number;
  readonly reuse: PromptReuse;
  /** Whether every verdict is `passed`. */
  readonly passed: boolean;
}

/**
 * Verifies masks as a campaign says: draws test images on the fleet before and after, has them seen, counts.
 *
 * @param checkpoint id
 * @param used prompts and noise besides the sweep's that masks may not be tested on, such as those of tuning
 * @param source of the campaign, for messages
 * @throws LetheError `campaign-invalid`, and as `requestImages` does.
 */
export async function verifyMasks(
  client: FleetClient,
  campaign: Campaign,
  checkpoint: string,
  variants: readonly Variant[],
  judge: Judge,
  used: readonly UsedTrajectories[],
  source: string,
  watcher: ImageWatcher,
): Promise<Verification> {
  const plan = testPlan(campaign, judge.heads, variants, source);
  refuseOverlap(plan, [sweptTrajectories(campaign), ...used], source);
  const { checkpoint: directory, variant, name, batch, verify } = campaign;
  const from = { checkpoint, directory, variant, numerics: campaign.numerics };
  const sampling = samplingMessage(verify?.sampling ?? campaign.sampling);
  const seen = await drawTests(client, from, `verify-${name}`, batch, sampling, plan, judge.classify, watcher);
  const results = measureTests(plan, seen, verify?.present ?? 1);
  const passed = results.every(({ concepts }) => concepts.every(({ verdict }) => verdict.kind === 'passed'));
  return { results, images: seen.images, reuse: promptReuse(plan, campaign), passed };
}

/** Sampling settings as the fleet is asked for them. */
export function samplingMessage({ scheduler, steps, guidance, size }: CampaignSampling): ImageSampling {
  return { scheduler, steps, guidance, height: size?.height, width: size?.width };
}
