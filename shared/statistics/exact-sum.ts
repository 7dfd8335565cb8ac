import { LetheError } from '../error/lethe-error.ts';

/**
 * A sum of statistics that is exact: whatever the order and grouping of its terms, its bits are the same.
 *
 * Every term is rounded once to a multiple of 2^-g. A row of an input adds at most 1 to a statistic, so a cohort of R rows
 * sums to at most R (a little more in fp32), and with g = 52 - ⌈log2 R⌉ every partial sum is a multiple of 2^-g below
 * 2^53-g: float64 holds it without error, and addition is associative and commutative.
 */
export interface ExactSum {
  /** Rows of the whole cohort, with multiplicity: what g comes from. */
  readonly rows: number;
  /** Statistics in the sum, each counted as often as it was added: tells a whole cohort from a part of it. */
  readonly count: number;
  /** One number per neuron; multiples of 2^-g. */
  readonly values: Float64Array;
}

/** fp32 statistics may exceed their rows by so much: the product's rounding, far below this for any layer. */
const slack = 1e-4;

/** Largest cohort: beyond it g would be too coarse to say anything (2^-12). */
const maxRows = 2 ** 40;

/** g of a cohort of `rows` rows. By doubling, not by log2, whose last bit is the machine's own. */
export function gridExponent(rows: number): number {
  let exponent = 0;
  while (2 ** exponent < rows) exponent += 1;
  return 52 - exponent;
}

/** The largest total a neuron can have. */
export function largestTotal(rows: number): number {
  return rows * (1 + slack);
}

/** The sum of nothing. @throws LetheError `statistics-invalid` if rows is no count. */
export function emptySum(neurons: number, rows: number): ExactSum {
  if (!Number.isInteger(rows) || rows < 1 || rows > maxRows)
    throw statisticsInvalid('rows', `a cohort has ${rows} rows; 1 to 2^40 can be summed exactly`);
  return { rows, count: 0, values: new Float64Array(neurons) };
}

/**
 * `sum` and one statistic of a trajectory or prompt that counts `multiplicity` times.
 *
 * @throws LetheError `statistics-invalid` for another length, a value that is not finite or negative, a multiplicity
 * that is no count, and a total over R·(1 + 1e-4).
 */
export function addStatistic(sum: ExactSum, statistic: Float32Array, multiplicity: number): ExactSum {
  const values = sum.values.slice();
  accumulate(values, sum.rows, statistic, multiplicity);
  return { rows: sum.rows, count: sum.count + multiplicity, values };
}

/** Two sums of parts of one cohort. @throws LetheError `statistics-invalid` if they cannot be, or their total is too large. */
export function combine(a: ExactSum, b: ExactSum): ExactSum {
  if (a.rows !== b.rows || a.values.length !== b.values.length)
    throw statisticsInvalid(
      'sums',
      `they are of cohorts of ${a.rows} and ${b.rows} rows, ${a.values.length} and ${b.values.length} neurons`,
    );
  const limit = largestTotal(a.rows);
  const values = a.values.slice();
  for (let i = 0; i < values.length; i++) {
    const total = (values[i] ?? NaN) + (b.values[i] ?? NaN);
    if (!(total <= limit)) throw overflow(i, total, a.rows);
    values[i] = total;
  }
  return { rows: a.rows, count: a.count + b.count, values };
}

/**
 * Adds a statistic to `values` in place: for owners of a sum that nobody else sees yet. `values` is spoilt if this throws.
 * That no value passes the limit also makes it exact: below it float64 holds every multiple of 2^-g, and rounding is
 * monotone, so what would be inexact is above it.
 *
 * @throws LetheError as `addStatistic`.
 */
export function accumulate(values: Float64Array, rows: number, statistic: Float32Array, multiplicity: number): void {
  if (statistic.length !== values.length)
    throw statisticsInvalid('statistic', `it has ${statistic.length} neurons, and the sum has ${values.length}`);
  if (!Number.isSafeInteger(multiplicity) || multiplicity < 0)
    throw statisticsInvalid('multiplicity', `a statistic cannot count ${multiplicity} times`);
  const scale = 2 ** gridExponent(rows);
  // Powers of two: neither product rounds.
  const inverse = multiplicity / scale;
  const limit = largestTotal(rows);
  for (let i = 0; i < values.length; i++) {
    const term = statistic[i] ?? NaN;
    const total = (values[i] ?? NaN) + Math.round(term * scale) * inverse;
    if (!(term >= 0 && total <= limit)) {
      if (!(term >= 0 && term < Infinity)) throw statisticsInvalid(`neuron ${i}`, `its statistic is ${term}`);
      throw overflow(i, total, rows);
    }
    values[i] = total;
  }
}

function overflow(neuron: number, total: number, rows: number): LetheError {
  return statisticsInvalid(`neuron ${neuron}`, `its total is ${total}, and ${rows} rows give at most ${rows}`);
}

/** LetheError `statistics-invalid`. */
export function statisticsInvalid(where: string, why: string, cause?: unknown): LetheError {
  return new LetheError('statistics-invalid', {
    what: 'cannot add statistics',
    where,
    why,
    next: 'run the units of this cohort again: a partial belongs to another cohort, or a device computes wrongly',
    cause,
  });
}
