import { z } from 'zod';
import type { Checkpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { readTensorAt } from '../../shared/checkpoint/read-tensor.ts';
import type { Mask } from '../../shared/mask/mask.ts';
import { normsOf } from '../../shared/method/conceptprune/norms.ts';
import type { LayerSettings } from '../../shared/method/conceptprune/settings.ts';
import type { CohortSum } from '../../shared/statistics/cohort-sum.ts';
import { hasBit } from '../../shared/tensor/bit-matrix.ts';
import { compareMask, type OwnLayer } from '../golden/conceptprune-vectors.ts';
import type { ReferenceLayer } from './sweep-reference.ts';

/** How the masks of all sweeps compare with the reference procedure's, bit by bit. */
export interface MaskTally {
  readonly masks: number;
  readonly equal: number;
  /** Bits that differ where norms that differ within their tolerance may turn them. */
  readonly tied: number;
  readonly wrong: number;
  /** Bits that the reference sets. */
  readonly set: number;
  /** The largest difference of a norm, over the layer's and step's largest. */
  readonly normError: number;
  /** As the goldens are held to: norms within 1e-4, no wrong bit, ties at most 0.1 % of the bits set. */
  readonly passed: boolean;
}

export const emptyTally: MaskTally = { masks: 0, equal: 0, tied: 0, wrong: 0, set: 0, normError: 0, passed: true };

/** Cohorts that a mask was made of, as its settings tell. */
const origin = z.object({ target: z.string(), sites: z.array(z.object({ against: z.string() })) });

/** `tally` and one mask more. */
export async function tallyMask(
  tally: MaskTally,
  mask: Mask | undefined,
  sums: readonly CohortSum[],
  reference: readonly ReferenceLayer[],
  { unet: { weights } }: Checkpoint,
  settings: LayerSettings,
): Promise<MaskTally> {
  const made = origin.safeParse(mask?.parts[0]?.settings).data;
  const normsIn = (cohort: string | undefined, name: string): readonly Float32Array[] => {
    const layers = sums.find((sum) => sum.cohort === cohort)?.layers ?? [];
    return (layers.find(({ layer }) => layer.name === name)?.steps ?? []).map((sum) => normsOf(sum));
  };
  const own = new Map<string, OwnLayer>();
  for (const { name, union } of mask?.layers ?? []) {
    const location = weights.tensors.get(`${name}.weight`);
    const weight = location === undefined ? undefined : (await readTensorAt(location.file, location)).data;
    const norms = { target: normsIn(made?.target, name), base: normsIn(made?.sites[0]?.against, name) };
    if (weight instanceof Float32Array) own.set(name, { norms, union, weight });
  }
  const layers = reference.map(({ name, norms, union }) => {
    const { rows: out, columns } = union;
    const bits = Uint8Array.from({ length: out * columns }, (_, i) =>
      hasBit(union, Math.floor(i / columns), i % columns) ? 1 : 0,
    );
    return { name, norms, mask: bits, out, in: columns };
  });
  const { layers: compared, passed } = compareMask(own, { layers, settings });
  const sum = (key: 'equal' | 'tied' | 'wrong' | 'set') =>
    compared.reduce((total, layer) => total + layer[key], tally[key]);
  return {
    masks: tally.masks + 1,
    equal: sum('equal'),
    tied: sum('tied'),
    wrong: sum('wrong'),
    set: sum('set'),
    normError: Math.max(tally.normError, ...compared.map(({ normError }) => normError)),
    passed: tally.passed && passed && compared.length > 0,
  };
}
