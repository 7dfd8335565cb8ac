import type { Checkpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { encodeMask, maskName } from '../../shared/mask/mask-file.ts';
import { maskMismatch } from '../../shared/mask/mask-mismatch.ts';
import type { Mask } from '../../shared/mask/mask.ts';
import type { PrunedWeights } from '../../shared/model/module.ts';
import { type SiteName, sites } from '../../shared/model/site.ts';
import type { BitMatrix } from '../../shared/tensor/bit-matrix.ts';

/** What of a checkpoint's weights counts as 0. */
export interface Pruning {
  /** Of the mask; models that are pruned differently are different models. */
  readonly id: string;
  readonly unet: PrunedWeights;
  readonly textEncoder: PrunedWeights;
}

/** Every weight counts. */
export const unpruned: Pruning = { id: 'unpruned', unet: new Map(), textEncoder: new Map() };

/**
 * A mask as it is applied to a checkpoint: of each layer the union over all steps.
 *
 * @param id of the checkpoint
 * @throws LetheError `mask-mismatch` if the mask is of another checkpoint, or names a layer that this one has not, has in
 *   another shape, or has at another site.
 */
export function pruningOf(mask: Mask, checkpoint: Checkpoint, id: string): Pruning {
  if (mask.checkpoint !== id)
    throw maskMismatch('checkpoint', `the mask is of ${mask.checkpoint}, and ${checkpoint.directory} is ${id}`);
  const unet = new Map<string, BitMatrix>();
  const textEncoder = new Map<string, BitMatrix>();
  for (const { site, name, union } of mask.layers) {
    const isText = componentOf(site) === 'text_encoder';
    const { weights } = isText ? checkpoint.textEncoder : checkpoint.unet;
    const weight = `${name}.weight`;
    const shape = weights.tensors.get(weight)?.shape.join(', ');
    if (siteOf(name, isText) !== site) throw maskMismatch(name, `it is no layer of site ${site}`);
    if (shape !== `${union.rows}, ${union.columns}`)
      throw maskMismatch(
        name,
        `the mask is [${union.rows}, ${union.columns}], and the weight ${shape === undefined ? 'is missing' : `[${shape}]`}`,
      );
    (isText ? textEncoder : unet).set(weight, union);
  }
  return { id: maskName(encodeMask(mask)), unet, textEncoder };
}

function componentOf(site: SiteName): string | undefined {
  return sites.find(({ name }) => name === site)?.component;
}

function siteOf(layer: string, isText: boolean): SiteName | undefined {
  return sites.find((site) => (site.component === 'text_encoder') === isText && site.layer.test(layer))?.name;
}
