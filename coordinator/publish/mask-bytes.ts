import { encodeSafetensors } from '../../shared/checkpoint/write-safetensors.ts';
import type { MaskChange } from '../../shared/method/method.ts';
import { canonicalJson } from '../../shared/unit/canonical-json.ts';
import type { PlannedConcept } from '../plan/plan.ts';

/**
 * A mask as bytes: the union and the steps of every layer as bit matrices. Equal masks have equal bytes.
 */
export function maskBytes(checkpoint: string, concept: PlannedConcept, tau: number, { layers }: MaskChange): Uint8Array {
  const sorted = layers.toSorted((a, b) => (`${a.site} ${a.name}` < `${b.site} ${b.name}` ? -1 : 1));
  const tensors = sorted.flatMap(({ site, name, union, steps }) => [
    { name: `${site} ${name}`, shape: [union.bytes.length], data: union.bytes },
    ...steps.map(({ bytes }, step) => ({ name: `${site} ${name} ${step}`, shape: [bytes.length], data: bytes })),
  ]);
  const { name, kind, selectRatio, sites } = concept;
  const header = {
    checkpoint,
    concept: { name, kind },
    method: 'conceptprune',
    settings: { tau, selectRatio, sites: sites.map(({ site, skillRatio, selection, margin }) => ({ site, skillRatio, selection, margin })) },
    layers: sorted.map((layer) => ({ site: layer.site, name: layer.name, shape: [layer.union.rows, layer.union.columns] })),
  };
  return encodeSafetensors(tensors, { format: 'lethe-mask-1', mask: canonicalJson(header) });
}
