import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addStatistic, combine, emptySum, type ExactSum, gridExponent, largestTotal } from './exact-sum.ts';

const neurons = 3;

/** Terms as a device gives them, for a cohort of which each uses up to `rows` rows; fp32 noise passes the rows a little. */
interface Cohort {
  readonly rows: number;
  readonly terms: readonly { readonly statistic: Float32Array; readonly multiplicity: number }[];
}

const cohorts: fc.Arbitrary<Cohort> = fc
  .array(
    fc.record({
      rows: fc.integer({ min: 1, max: 8192 }),
      multiplicity: fc.integer({ min: 1, max: 5 }),
      // Shares of the rows at every magnitude, subnormals and the largest possible included.
      shares: fc.array(
        fc.oneof(fc.float({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 1, 2 ** -149, 2 ** -40)),
        {
          minLength: neurons,
          maxLength: neurons,
        },
      ),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((parts) => ({
    rows: parts.reduce((sum, { rows, multiplicity }) => sum + rows * multiplicity, 0),
    terms: parts.map(({ rows, multiplicity, shares }) => ({
      statistic: Float32Array.from(shares, (share) => share * rows * (1 + 2 ** -20)),
      multiplicity,
    })),
  }));

const sumOf = ({ rows, terms }: Cohort): ExactSum =>
  terms.reduce(
    (sum, { statistic, multiplicity }) => addStatistic(sum, statistic, multiplicity),
    emptySum(neurons, rows),
  );

/** The sum in units of 2^-g, by integers of any size. */
function inUnits({ rows, terms }: Cohort): bigint[] {
  const g = gridExponent(rows);
  return Array.from({ length: neurons }, (_, i) =>
    terms.reduce((sum, { statistic, multiplicity }) => sum + roundedUnits(statistic[i]!, g) * BigInt(multiplicity), 0n),
  );
}

/** value · 2^g rounded to the nearest integer, halves up: fp32 values are multiples of 2^-149. */
function roundedUnits(value: number, g: number): bigint {
  const units = BigInt(value * 2 ** 75 * 2 ** 74);
  const shift = BigInt(149 - g);
  return (units + (1n << (shift - 1n))) >> shift;
}

const shuffled = (cohort: Cohort, keys: readonly number[]): Cohort => ({
  rows: cohort.rows,
  terms: cohort.terms
    .map((term, i) => ({ term, key: keys[i] ?? 0 }))
    .sort((a, b) => a.key - b.key)
    .map(({ term }) => term),
});

/** Splits at random places and combines in a random tree. */
function byTree(cohort: Cohort, cuts: readonly number[]): ExactSum {
  const [cut = 0, ...rest] = cuts;
  const { rows, terms } = cohort;
  if (terms.length < 2) return sumOf(cohort);
  const at = 1 + (cut % (terms.length - 1));
  const half = Math.ceil(rest.length / 2);
  return combine(
    byTree({ rows, terms: terms.slice(0, at) }, rest.slice(0, half)),
    byTree({ rows, terms: terms.slice(at) }, rest.slice(half)),
  );
}

describe('ExactSum', () => {
  it('has the same bits in any order', () => {
    fc.assert(
      fc.property(cohorts, fc.array(fc.nat(), { minLength: 12, maxLength: 12 }), (cohort, keys) => {
        expect(sumOf(shuffled(cohort, keys))).toEqual(sumOf(cohort));
      }),
    );
  });

  it('has the same bits in any grouping: every tree, every split into parts', () => {
    fc.assert(
      fc.property(cohorts, fc.array(fc.nat(), { minLength: 12, maxLength: 12 }), (cohort, cuts) => {
        expect(byTree(cohort, cuts)).toEqual(sumOf(cohort));
      }),
    );
  });

  it('counts a multiplicity m as m additions', () => {
    fc.assert(
      fc.property(cohorts, (cohort) => {
        const terms = cohort.terms.flatMap(({ statistic, multiplicity }) =>
          Array.from({ length: multiplicity }, () => ({ statistic, multiplicity: 1 })),
        );
        expect(sumOf({ rows: cohort.rows, terms })).toEqual(sumOf(cohort));
      }),
    );
  });

  it('is the sum of the rounded terms in integers of any size', () => {
    fc.assert(
      fc.property(cohorts, (cohort) => {
        const { values } = sumOf(cohort);
        expect(Array.from(values, (value) => BigInt(value * 2 ** gridExponent(cohort.rows)))).toEqual(inUnits(cohort));
      }),
    );
  });

  it('rounds a term by at most half of 2^-g', () => {
    const sum = addStatistic(emptySum(1, 4096), Float32Array.of(Math.PI), 1);
    expect(Math.abs(sum.values[0]! - Math.fround(Math.PI))).toBeLessThanOrEqual(2 ** -41);
  });

  it('takes g from the rows alone', () => {
    expect([1, 2, 3, 4, 5, 1024, 1025, 2 ** 40].map(gridExponent)).toEqual([52, 51, 50, 50, 49, 42, 41, 12]);
  });

  it('does not change the sum that is added to', () => {
    const sum = emptySum(1, 2);
    addStatistic(sum, Float32Array.of(1), 1);
    expect([...sum.values]).toEqual([0]);
  });

  it.each([NaN, Infinity, -Infinity, -1, -1e-30])('refuses a statistic of %d', (bad) => {
    expect(() => addStatistic(emptySum(2, 8), Float32Array.of(1, bad), 1)).toThrow(/neuron 1.*its statistic is/);
  });

  it('refuses a statistic of another length', () => {
    expect(() => addStatistic(emptySum(2, 8), Float32Array.of(1), 1)).toThrow(/1 neurons, and the sum has 2/);
  });

  it.each([-1, 0.5, NaN, 2 ** 53])('refuses to count %d times', (multiplicity) => {
    expect(() => addStatistic(emptySum(1, 8), Float32Array.of(0), multiplicity)).toThrow(/cannot count/);
  });

  it.each([0, -1, 1.5, NaN, 2 ** 41])('refuses a cohort of %d rows', (rows) => {
    expect(() => emptySum(1, rows)).toThrow(/statistics|rows/);
  });

  it('refuses totals above R·(1 + 1e-4), added or combined, and takes those below', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 2 ** 30 }),
        fc.constantFrom(0.999, 1, 1.0000999, 1.000101, 1.5, 1e9),
        (rows, share) => {
          const half = Float32Array.of((rows * share) / 2);
          const total = 2 * half[0]!;
          const once = addStatistic.bind(undefined, emptySum(1, rows), half, 2);
          const parts = () =>
            combine(addStatistic(emptySum(1, rows), half, 1), addStatistic(emptySum(1, rows), half, 1));
          // What the grid rounds is far below the slack's last digit here.
          if (Math.abs(total - largestTotal(rows)) < 1e-6 * rows) return;
          if (total < largestTotal(rows)) expect(once()).toEqual(parts());
          else {
            expect(once).toThrow(/give at most/);
            expect(parts).toThrow(/give at most/);
          }
        },
      ),
    );
  });

  it('refuses sums of different cohorts', () => {
    expect(() => combine(emptySum(1, 4), emptySum(1, 5))).toThrow(/cohorts of 4 and 5 rows/);
    expect(() => combine(emptySum(1, 4), emptySum(2, 4))).toThrow(/1 and 2 neurons/);
  });
});
