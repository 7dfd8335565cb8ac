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
  /** One number per neuron; multiples of 2^-g. */
  readonly values: Float64Array;
}

/** fp32 statistics may exceed their rows by so much: the product's rounding, far below this for any layer. */
const slack = 1e-4;

/** Largest cohort: beyond it g would be too coarse to say anything (2^-12). */
export const maxRows = 2 ** 40;

/** g of a cohort of `rows` rows. */
export function gridExponent(rows: number): number {
  return 52 - Math.ceil(Math.log2(rows));
}

/** The sum of nothing. @throws LetheError `statistics-invalid` if rows is no count. */
export function emptySum(neurons: number, rows: number): ExactSum {
  if (!Number.isInteger(rows) || rows < 1 || rows > maxRows)
    throw invalid('rows', `a cohort has ${rows} rows; 1 to 2^40 can be summed exactly`);
  return { rows, values: new Float64Array(neurons) };
}

/** `sum` and one statistic of a trajectory that counts `multiplicity` times. */
export function addStatistic(sum: ExactSum, statistic: Float32Array, multiplicity: number): ExactSum {
  if (statistic.length !== sum.values.length)
    throw invalid('statistic', `it has ${statistic.length} neurons, and the sum has ${sum.values.length}`);
  const scale = 2 ** gridExponent(sum.rows);
  const values = sum.values.map(
    (value, i) => value + (Math.round((statistic[i] ?? NaN) * scale) / scale) * multiplicity,
  );
  return checked({ rows: sum.rows, values });
}

/** Two sums of parts of one cohort. */
export function combine(a: ExactSum, b: ExactSum): ExactSum {
  if (a.rows !== b.rows || a.values.length !== b.values.length)
    throw invalid(
      'sums',
      `they are of cohorts of ${a.rows} and ${b.rows} rows, ${a.values.length} and ${b.values.length} neurons`,
    );
  return checked({ rows: a.rows, values: a.values.map((value, i) => value + (b.values[i] ?? NaN)) });
}

/** The norm of a cohort at a step: the square root of each sum, in fp32 as the reference keeps it. */
export function normsOf(sum: ExactSum): Float32Array {
  return Float32Array.from(sum.values, Math.sqrt);
}

function checked(sum: ExactSum): ExactSum {
  const limit = sum.rows * (1 + slack);
  const over = sum.values.find((value) => !(value <= limit));
  if (over !== undefined) throw invalid('total', `a neuron has ${over}, and ${sum.rows} rows give at most ${sum.rows}`);
  return sum;
}

function invalid(where: string, why: string): LetheError {
  return new LetheError('statistics-invalid', {
    what: 'cannot add statistics',
    where,
    why,
    next: 'run the units of this cohort again: a partial belongs to another cohort, or a device computes wrongly',
  });
}
