import { LetheError } from '../../shared/error/lethe-error.ts';
import { type Mask, type MaskPart } from '../../shared/mask/mask.ts';
import { encodeMask, maskName } from '../../shared/mask/mask-file.ts';
import { maskBlob } from '../../shared/mask/mask-blob.ts';
import { compressMask, decompressMask } from '../../shared/mask/mask-storage.ts';
import { conceptPrune } from '../../shared/method/conceptprune/conceptprune.ts';
import type { MaskChange } from '../../shared/method/method.ts';
import type { ResultVerdict } from '../store/verdict.ts';
import type { Plan, PlannedConcept } from '../plan/plan.ts';
import type { MaskBlobs } from '../store/mask-blobs.ts';

export { maskBlob };

/** `unusable`: nothing is there, or it is not what its name says. `sealed`: only another fleet key opens it, or none does. */
export type StoredMask = 'whole' | 'unusable' | 'sealed';

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
  const settings = sites.map(({ site, skillRatio, selection, margin, against, layers }) => ({
    site,
    ...(layers === undefined ? { skillRatio } : { layers }),
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
 * Reads back what is stored of a mask, and seals it where that is still to be done.
 *
 * @throws what NATS throws
 */
export async function storedMask(masks: MaskBlobs, hash: string): Promise<StoredMask> {
  try {
    await decompressMask(await masks.getSealed(maskBlob(hash)), hash);
    return 'whole';
  } catch (error) {
    if (!(error instanceof LetheError)) throw error;
    if (error.code === 'blob-sealed') return 'sealed';
    if (['blob-missing', 'blob-damaged', 'mask-invalid'].includes(error.code)) return 'unusable';
    throw error;
  }
}

/**
 * Stores a mask under the hash of its canonical bytes, as a candidate: nothing is active until it is applied. Storing it
 * twice is no harm; what was stored and is not whole is stored anew.
 *
 * @returns its hash, 64 hex digits.
 */
export async function publishMask(masks: MaskBlobs, mask: Mask): Promise<string> {
  const bytes = encodeMask(mask);
  const hash = maskName(bytes);
  const stored = await storedMask(masks, hash);
  // A coordinator without the fleet key does not put plain bytes in the place of sealed ones.
  const isKept = stored === 'whole' || (stored === 'sealed' && !masks.seals);
  if (!isKept) await masks.put(maskBlob(hash), await compressMask(bytes));
  return hash;
}
