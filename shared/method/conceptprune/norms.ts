/** Norms of a layer's inputs at each step: [steps][in]. One step where they hold at every step. */
export interface LayerNorms {
  readonly base: readonly Float32Array[];
  readonly target: readonly Float32Array[];
}

/** A sum of statistics and how many are in it: what an exact sum is here. */
export interface Summed {
  readonly count: number;
  /** One number per neuron. */
  readonly values: Float64Array;
}

/**
 * The norm of a cohort at a step: the square root of each sum, in fp32 as the reference keeps it. With `perStatistic`, of
 * the mean instead of the sum, for cohorts of different lengths to be compared.
 */
export function normsOf(sum: Summed, perStatistic = false): Float32Array<ArrayBuffer> {
  const norms = new Float32Array(sum.values.length);
  const divisor = perStatistic ? Math.max(sum.count, 1) : 1;
  for (let i = 0; i < norms.length; i++) norms[i] = Math.sqrt((sum.values[i] ?? NaN) / divisor);
  return norms;
}
