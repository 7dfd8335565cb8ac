import { kthLargest, orderedKey } from './largest.ts';
import type { LayerNorms } from './norms.ts';
import { isContrasting, type LayerSettings } from './settings.ts';

/** How far below the cut that is expected candidates are collected: the cut differs by some percent from row to row. */
const slack = 0.88;

/** What fp32 may lose besides, where numbers are subnormal. */
const underflow = 2 ** -140;

/** Where the expected cut was too high: once more from here, before every column is a candidate. */
const secondSlack = 0.6;

/**
 * By how much a norm of the target has to exceed the base's, as a share of the base's. The norm of a neuron that saturates
 * (its normalised input is 1 in every row) is the same in both lists; sums that differ by rounding alone would let it pass.
 * fp32 norms of the reference differ by up to 2^-21 of themselves by the order in which rows are added.
 */
const leastExcess = 2 ** -20;

/**
 * Selects of one row at a time. Most of a row is out of the question: one pass over it collects what reaches a threshold
 * a little below the cut, which is expected from the step before (scaled as it was in the row before), and only these
 * candidates are ranked. If what was left out could have reached the cut after all, the row is passed again with a lower
 * threshold; so the result never depends on what was expected.
 */
export class RowSelector {
  /** Columns that the last `select` chose, in increasing order; as many as it returned. */
  readonly chosen: Uint32Array;

  /** Weights a row may lose at a step. */
  readonly #budget: number;
  readonly #contrast: boolean;
  readonly #specific: boolean;
  readonly #margin: number;
  readonly #base: readonly Float32Array[];
  readonly #target: readonly Float32Array[];
  /** By step, what |W| is multiplied with for the ranking, in float64: n_target, or n_target − margin · n_base. */
  readonly #direction: readonly Float64Array[];
  /** By step, how much fp32 may add to |W| · direction at most, for the largest |W| of 1. */
  readonly #rounding: readonly number[];
  /** By step, the cut in the row before; NaN if there was none. */
  readonly #cuts: Float64Array;

  /** |W| of the row. */
  readonly #row: Float64Array;
  #largest = 0;
  /** Cut of the previous step in this row, and in the row before. */
  #previous = NaN;
  #previousBefore = NaN;

  readonly #candidates: Uint32Array;
  readonly #scores: Float32Array;
  readonly #scoreBits: Uint32Array;
  readonly #keys: Uint32Array;
  readonly #scratch: Uint32Array;
  readonly #one = new Float32Array(1);
  readonly #oneBits = new Uint32Array(this.#one.buffer);

  constructor(columns: number, { base, target }: LayerNorms, { skillRatio, selection, margin }: LayerSettings) {
    this.#budget = Math.floor(skillRatio * columns);
    this.#contrast = isContrasting(selection);
    this.#specific = selection === 'specific';
    this.#margin = Math.fround(margin);
    this.#base = base;
    this.#target = target;
    const factor = this.#contrast ? this.#margin : 0;
    this.#direction = target.map((norms, step) => difference(norms, base[step] ?? norms, factor));
    // Three roundings of 2^-24 of what they round; none for one product, whose order rounding keeps.
    this.#rounding = target.map((norms, step) => {
      return this.#contrast ? largestSum(norms, base[step] ?? norms, factor) * 2 ** -21 : 0;
    });
    this.#cuts = new Float64Array(target.length).fill(NaN);
    this.#row = new Float64Array(columns);
    this.chosen = new Uint32Array(this.#budget);
    this.#candidates = new Uint32Array(columns);
    this.#scores = new Float32Array(columns);
    this.#scoreBits = new Uint32Array(this.#scores.buffer);
    this.#keys = new Uint32Array(columns);
    this.#scratch = new Uint32Array(columns);
  }

  /** Takes the row that begins at `offset`. False if it holds what is not finite. */
  begin(weights: Float32Array, offset: number): boolean {
    const row = this.#row;
    let largest = 0;
    let sum = 0;
    for (let i = 0; i < row.length; i++) {
      const magnitude = Math.abs(weights[offset + i] ?? NaN);
      row[i] = magnitude;
      sum += magnitude;
      if (magnitude > largest) largest = magnitude;
    }
    this.#largest = largest;
    this.#previous = NaN;
    this.#previousBefore = NaN;
    return sum < Infinity;
  }

  /** Fills `chosen` with M_t of the row for a step, and returns how many columns it has. */
  select(step: number): number {
    if (this.#budget === 0) return 0;
    const rounding = (this.#rounding[step] ?? 0) * this.#largest + underflow;
    // With no budget nothing is ranked: what can exceed the margin, but for rounding, is what there is to choose from.
    if (this.#specific && this.#budget === this.#row.length) return this.#keep(step, this.#collect(step, -rounding));

    const before = this.#cuts[step] ?? NaN;
    const drift = this.#previous / this.#previousBefore;
    const expected = drift > 0 && drift < Infinity ? before * drift : before;
    let threshold = expected > 0 ? Math.fround(expected * slack) : -Infinity;
    let count = this.#collect(step, threshold);
    let cut = this.#rank(step, count);
    // Not the other way round: NaN is no cut.
    if (!(this.#valueOf(cut) > threshold + rounding) && threshold > -Infinity) {
      threshold = Math.fround(expected * secondSlack);
      count = this.#collect(step, threshold);
      cut = this.#rank(step, count);
      if (!(this.#valueOf(cut) > threshold + rounding)) {
        count = this.#collect(step, -Infinity);
        cut = this.#rank(step, count);
      }
    }
    this.#previousBefore = before;
    this.#previous = this.#valueOf(cut);
    this.#cuts[step] = this.#previous;
    return this.#choose(step, count, cut);
  }

  /**
   * Columns whose product reaches the threshold, in increasing order: the pass that everything else is small against, so
   * four columns at a time (0.9 ns a column where one at a time takes 1.5).
   */
  #collect(step: number, threshold: number): number {
    const row = this.#row;
    const direction = this.#direction[step] ?? row;
    const candidates = this.#candidates;
    const quads = row.length - (row.length % 4);
    let count = 0;
    for (let i = 0; i < quads; i += 4) {
      const first = (row[i] ?? NaN) * (direction[i] ?? NaN);
      const second = (row[i + 1] ?? NaN) * (direction[i + 1] ?? NaN);
      const third = (row[i + 2] ?? NaN) * (direction[i + 2] ?? NaN);
      const fourth = (row[i + 3] ?? NaN) * (direction[i + 3] ?? NaN);
      if (first >= threshold || second >= threshold || third >= threshold || fourth >= threshold) {
        if (first >= threshold) candidates[count++] = i;
        if (second >= threshold) candidates[count++] = i + 1;
        if (third >= threshold) candidates[count++] = i + 2;
        if (fourth >= threshold) candidates[count++] = i + 3;
      }
    }
    for (let i = quads; i < row.length; i++) {
      if ((row[i] ?? NaN) * (direction[i] ?? NaN) >= threshold) candidates[count++] = i;
    }
    return count;
  }

  /** Scores the candidates in fp32; the key of the cut, or -1 if there are too few. */
  #rank(step: number, count: number): number {
    if (count < this.#budget) return -1;
    const target = this.#target[step] ?? this.#scores;
    const base = this.#base[step] ?? this.#scores;
    for (let i = 0; i < count; i++) {
      const column = this.#candidates[i] ?? 0;
      const magnitude = this.#row[column] ?? NaN;
      const score = Math.fround(magnitude * (target[column] ?? NaN));
      this.#scores[i] = this.#contrast
        ? score - Math.fround(this.#margin * Math.fround(magnitude * (base[column] ?? NaN)))
        : score;
      this.#keys[i] = orderedKey(this.#scoreBits[i] ?? 0);
    }
    return kthLargest(this.#keys, count, this.#budget, this.#scratch);
  }

  /** Of the candidates those above the cut, and of those at it the first, as many as the budget has left. */
  #choose(step: number, count: number, cut: number): number {
    let tied = this.#budget;
    for (let i = 0; i < count; i++) if ((this.#keys[i] ?? 0) > cut) tied -= 1;
    let within = 0;
    for (let i = 0; i < count; i++) {
      const key = this.#keys[i] ?? 0;
      if (key < cut) continue;
      if (key === cut) {
        if (tied === 0) continue;
        tied -= 1;
      }
      this.#candidates[within++] = this.#candidates[i] ?? 0;
    }
    return this.#keep(step, within);
  }

  /** Of the first `count` candidates those with S_target > S_base by more than rounding, and what is specific above the margin too. */
  #keep(step: number, count: number): number {
    const target = this.#target[step] ?? this.#scores;
    const base = this.#base[step] ?? this.#scores;
    let length = 0;
    for (let i = 0; i < count; i++) {
      const column = this.#candidates[i] ?? 0;
      const magnitude = this.#row[column] ?? NaN;
      const ofTarget = Math.fround(magnitude * (target[column] ?? NaN));
      const ofBase = Math.fround(magnitude * (base[column] ?? NaN));
      const least = this.#specific ? Math.max(ofBase, Math.fround(this.#margin * ofBase)) : ofBase;
      const excess = (target[column] ?? NaN) - (base[column] ?? NaN);
      if (ofTarget > least && excess > leastExcess * (base[column] ?? NaN)) this.chosen[length++] = column;
    }
    return length;
  }

  /** The score that has this key. */
  #valueOf(key: number): number {
    if (key < 0) return NaN;
    this.#oneBits[0] = key >= 0x80000000 ? key - 0x80000000 : ~key >>> 0;
    return this.#one[0] ?? NaN;
  }
}

/** a − factor · b. */
function difference(a: Float32Array, b: Float32Array, factor: number): Float64Array {
  const result = new Float64Array(a.length);
  for (let i = 0; i < result.length; i++) result[i] = (a[i] ?? NaN) - factor * (b[i] ?? NaN);
  return result;
}

/** The largest of a + factor · b. */
function largestSum(a: Float32Array, b: Float32Array, factor: number): number {
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, (a[i] ?? NaN) + factor * (b[i] ?? NaN));
  return largest;
}
