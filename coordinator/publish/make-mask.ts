import type { MaskBlobs } from '../store/mask-blobs.ts';
import type { Checkpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { conceptPrune, type Scorer } from '../../shared/method/conceptprune/conceptprune.ts';
import type { SiteName } from '../../shared/model/site.ts';
import type { CohortSum } from '../../shared/statistics/cohort-sum.ts';
import type { Plan, PlannedConcept } from '../plan/plan.ts';
import type { ResultVerdict } from '../store/verdict.ts';
import { conceptState } from './concept-state.ts';
import { conceptMask, publishMask, timestepsOf } from './publish-mask.ts';

/**
 * Scores a concept whose sums are all there, and stores its mask.
 *
 * @param resultOf a result of a unit, for any site
 * @returns the mask's hash; undefined for a method that makes none.
 * @throws LetheError `method-invalid`, `tensor-mismatch`, `safetensors-invalid`, and what NATS throws.
 */
export async function makeMask(
  masks: MaskBlobs,
  plan: Plan,
  concept: PlannedConcept,
  sumOf: (cohort: string, site: SiteName) => CohortSum,
  { unet, textEncoder, vae }: Checkpoint,
  score: Scorer,
  resultOf: (unit: string) => ResultVerdict | undefined,
): Promise<string | undefined> {
  const weights = { unet: unet.weights, text_encoder: textEncoder.weights, vae: vae.weights };
  const change = await conceptPrune.finish(conceptState(plan, concept, sumOf), weights, score);
  if (change.kind !== 'mask') return undefined;
  return publishMask(masks, conceptMask(plan, concept, timestepsOf(plan, resultOf), change));
}
