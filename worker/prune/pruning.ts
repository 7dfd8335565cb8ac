import type { Checkpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { encodeMask, maskName } from '../../shared/mask/mask-file.ts';
import { maskMismatch } from '../../shared/mask/mask-mismatch.ts';
import { bitsAt, type Mask, nearestTimestep } from '../../shared/mask/mask.ts';
import type { MaskedLayer } from '../../shared/method/method.ts';
import type { PrunedWeight, PrunedWeights } from '../../shared/model/module.ts';
import { type SiteName, sites } from '../../shared/model/site.ts';

/** What of a checkpoint's weights counts as 0. */
export interface Pruning {
  /** Of the mask and how it is applied; models that are pruned differently are different models. */
  readonly id: string;
  readonly unet: PrunedWeights;
  readonly textEncoder: PrunedWeights;
  /** Scored timesteps, each once, falling, of the sets that the UNet's switched weights have; the last set is the union. */
  readonly timesteps: readonly number[];
}

/** The same weights at every step, or those of the timestep where a layer has such sets. */
export type MaskUse = 'union' | 'per-timestep';

/** Every weight counts. */
export const unpruned: Pruning = { id: 'unpruned', unet: new Map(), textEncoder: new Map(), timesteps: [] };

/**
 * A mask as it is applied to a checkpoint.
 *
 * @param id of the checkpoint
 * @throws LetheError `mask-mismatch` if the mask is of another checkpoint, or names a layer that this one has not, has in
 *   another shape, or has at another site.
 */
export function pruningOf(mask: Mask, checkpoint: Checkpoint, id: string, use: MaskUse = 'union'): Pruning {
  if (mask.checkpoint !== id)
    throw maskMismatch('checkpoint', `the mask is of ${mask.checkpoint}, and ${checkpoint.directory} is ${id}`);
  const switches = use === 'per-timestep' && mask.layers.some(({ steps }) => steps.length > 0);
  const timesteps = switches ? [...new Set(mask.timesteps)] : [];
  const unet = new Map<string, PrunedWeight>();
  const textEncoder = new Map<string, PrunedWeight>();
  for (const layer of mask.layers) {
    const isText = componentOf(layer.site) === 'text_encoder';
    requireLayer(layer, checkpoint, isText);
    const weights = isText ? textEncoder : unet;
    weights.set(`${layer.name}.weight`, prunedWeight(layer, mask.timesteps, isText ? [] : timesteps));
  }
  return { id: `${maskName(encodeMask(mask))} ${switches ? use : 'union'}`, unet, textEncoder, timesteps };
}

/** Which set of its switched weights a UNet call at a timestep is run with; undefined where nothing is switched. */
export function setAt({ timesteps }: Pruning, timestep: number): number | undefined {
  if (timesteps.length === 0) return undefined;
  const nearest = nearestTimestep(timesteps, timestep);
  return nearest === undefined ? timesteps.length : timesteps.indexOf(nearest);
}

/**
 * Images that may share a batch for their bits not to depend on their company. How a product with a switched weight is
 * shared out among threads depends on its rows, and with it the order of its sums (seen from 3 threads on).
 */
export function largestBatch({ timesteps }: Pruning, threads: number): number {
  return timesteps.length > 0 && threads > 1 ? 1 : Infinity;
}

/** @param switched timesteps to have a set each, followed by the union; none to prune the union throughout */
function prunedWeight(layer: MaskedLayer, scored: readonly number[], switched: readonly number[]): PrunedWeight {
  if (switched.length === 0 || layer.steps.length === 0) return { kind: 'always', set: layer.union };
  return { kind: 'switched', sets: [...switched.map((timestep) => bitsAt(layer, scored, timestep)), layer.union] };
}

function requireLayer({ site, name, union }: MaskedLayer, checkpoint: Checkpoint, isText: boolean): void {
  const { weights } = isText ? checkpoint.textEncoder : checkpoint.unet;
  const shape = weights.tensors.get(`${name}.weight`)?.shape.join(', ');
  if (siteOf(name, isText) !== site) throw maskMismatch(name, `it is no layer of site ${site}`);
  if (shape !== `${union.rows}, ${union.columns}`)
    throw maskMismatch(
      name,
      `the mask is [${union.rows}, ${union.columns}], and the weight ${shape === undefined ? 'is missing' : `[${shape}]`}`,
    );
}

function componentOf(site: SiteName): string | undefined {
  return sites.find(({ name }) => name === site)?.component;
}

function siteOf(layer: string, isText: boolean): SiteName | undefined {
  return sites.find((site) => (site.component === 'text_encoder') === isText && site.layer.test(layer))?.name;
}
