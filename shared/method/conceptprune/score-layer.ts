import { LetheError } from '../../error/lethe-error.ts';
import { emptyBits, type BitMatrix, rowBytes } from '../../tensor/bit-matrix.ts';
import type { LayerNorms } from './norms.ts';
import { RowSelector } from './row-selector.ts';
import type { LayerSettings } from './settings.ts';

/** A weight matrix [out, in], or some rows of one, row-major. */
export interface WeightMatrix {
  readonly out: number;
  readonly in: number;
  readonly data: Float32Array;
}

/** What is selected of a layer. */
export interface LayerSelection {
  /** M_t of every step. */
  readonly steps: readonly BitMatrix[];
  /** { w : Σ_t M_t(w) > selectRatio · τ }, with τ the number of steps. */
  readonly union: BitMatrix;
}

/**
 * Scores a layer and selects what carries the concept (ConceptPrune, arXiv 2405.19237): S = |W| · n for the norms n of
 * target and base, in fp32 as the reference computes them; of each row the ⌊skillRatio · in⌋ weights that rank highest,
 * ties by lower column; of these the ones with S_target > S_base. Rows do not depend on each other.
 *
 * @throws LetheError `method-invalid` for norms of another shape or weights and norms that are not finite.
 */
export function scoreLayer(weight: WeightMatrix, norms: LayerNorms, settings: LayerSettings): LayerSelection {
  checkShapes(weight, norms);
  const { out, in: columns, data } = weight;
  const steps = norms.target.map(() => emptyBits(out, columns));
  const union = emptyBits(out, columns);
  const stride = rowBytes(columns);
  const limit = selectionLimit(settings.selectRatio, steps.length);
  const counts = new Uint16Array(columns);
  const selector = new RowSelector(columns, norms, settings);
  const chosen = selector.chosen;

  for (let row = 0; row < out; row++) {
    if (!selector.begin(data, row * columns)) throw invalid(`row ${row} of the weight`, 'it is not finite');
    counts.fill(0);
    for (let step = 0; step < steps.length; step++) {
      const bytes = steps[step]?.bytes ?? union.bytes;
      const length = selector.select(step);
      for (let i = 0; i < length; i++) {
        const column = chosen[i] ?? 0;
        const at = row * stride + (column >> 3);
        const bit = 1 << (column & 7);
        bytes[at] = (bytes[at] ?? 0) | bit;
        const count = (counts[column] ?? 0) + 1;
        counts[column] = count;
        if (count > limit) union.bytes[at] = (union.bytes[at] ?? 0) | bit;
      }
    }
  }
  return { steps, union };
}

/**
 * A weight is in the union if it was selected at more steps than this. In fp32, as the reference compares: in float64
 * 0.29 · 100 is a little less than 29.
 */
export function selectionLimit(selectRatio: number, steps: number): number {
  return Math.fround(selectRatio * steps);
}

function checkShapes({ out, in: columns, data }: WeightMatrix, { base, target }: LayerNorms): void {
  if (data.length !== out * columns)
    throw invalid('weight', `${data.length} numbers are not a matrix [${out}, ${columns}]`);
  if (base.length !== target.length || target.length === 0 || target.length >= 2 ** 16)
    throw invalid('norms', `the base has ${base.length} steps and the target ${target.length}`);
  for (const [step, norms] of [...base, ...target].entries()) {
    if (norms.length !== columns)
      throw invalid(`norms, step ${step % base.length}`, `${norms.length} neurons for ${columns} columns`);
    for (const norm of norms) {
      if (!(norm >= 0 && norm < Infinity)) throw invalid(`norms, step ${step % base.length}`, `a norm is ${norm}`);
    }
  }
}

function invalid(where: string, why: string): LetheError {
  return new LetheError('method-invalid', {
    what: 'cannot score the layer',
    where,
    why,
    next: 'check that norms and weights are of the same checkpoint, and that its weights are finite',
  });
}
