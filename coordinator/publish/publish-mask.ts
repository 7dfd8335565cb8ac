import { type Mask, type MaskPart } from '../../shared/mask/mask.ts';
import { encodeMask, maskName } from '../../shared/mask/mask-file.ts';
import { maskBlob } from '../../shared/mask/mask-blob.ts';
import { compressMask } from '../../shared/mask/mask-storage.ts';
import { conceptPrune } from '../../shared/method/conceptprune/conceptprune.ts';
import type { MaskChange } from '../../shared/method/method.ts';
import type { ResultVerdict } from '../store/verdict.ts';
import type { Plan, PlannedConcept } from '../plan/plan.ts';
import type { MaskBlobs } from '../store/mask-blobs.ts';

export { maskBlob };

/**
 * Timesteps of the first τ UNet calls, as the workers that made them have told; all trajectories of a plan have the same.
 *
 * @param resultOf a result of the unit, for any site
 */
export function timestepsOf({ units }: Plan, resultOf: (unit: string) => ResultVerdict | undefined): readonly number[] {
  const found = new Map<number, readonly number[]>();
  for (const { hash, unit } of units) {
    if (unit.kind !== 'denoise' || found.has(unit.window.from)) continue;
    const result = resultOf(hash);
    if (result !== undefined) found.set(unit.window.from, result.timesteps);
  }
  return [...found].sort(([a], [b]) => a - b).flatMap(([, timesteps]) => timesteps);
}

/**
 * The mask of a concept, with all settings that it comes from.
 *
 * @param timesteps of the first τ UNet calls
 */
export function conceptMask(
  plan: Plan,
  concept: PlannedConcept,
  timesteps: readonly number[],
  { layers }: MaskChange,
): Mask {
  return {
    checkpoint: plan.checkpoint,
    parts: [partOf(plan, concept)],
    timesteps: layers.some(({ steps }) => steps.length > 0) ? timesteps : [],
    layers,
  };
}

function partOf(plan: Plan, { name, kind, selectRatio, target, sites }: PlannedConcept): MaskPart {
  const { tau, sampling, numerics, graph } = plan;
  const settings = sites.map(({ site, skillRatio, selection, margin, against }) => ({
    site,
    skillRatio,
    selection,
    margin,
    against,
  }));
  return {
    concept: name,
    method: conceptPrune.name,
    settings: { kind, tau, selectRatio, target, sites: settings, sampling: { ...sampling }, numerics, graph },
  };
}

/**
 * Stores a mask under the hash of its canonical bytes, as a candidate: nothing is active until it is applied. Storing it
 * twice is no harm.
 *
 * @returns its hash, 64 hex digits.
 */
export async function publishMask(masks: MaskBlobs, mask: Mask): Promise<string> {
  const bytes = encodeMask(mask);
  const hash = maskName(bytes);
  if (!(await masks.has(maskBlob(hash)))) await masks.put(maskBlob(hash), await compressMask(bytes));
  return hash;
}
