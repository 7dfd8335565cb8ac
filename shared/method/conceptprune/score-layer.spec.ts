import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasBit } from '../../tensor/bit-matrix.ts';
import { scoreLayer } from './score-layer.ts';
import { isContrasting, type LayerSettings, selections } from './settings.ts';

const reference: LayerSettings = { skillRatio: 0.25, selection: 'reference', margin: 1, selectRatio: 0 };

interface Case {
  readonly out: number;
  readonly in: number;
  readonly data: Float32Array;
  readonly base: readonly Float32Array[];
  readonly target: readonly Float32Array[];
}

/** The definition, with whole rows sorted: columns chosen by step. */
function sorted({ data, in: columns, base, target }: Case, row: number, settings: LayerSettings): number[][] {
  const f = Math.fround;
  return target.map((norms, step) => {
    const scored = Array.from({ length: columns }, (_, j) => {
      const w = Math.abs(data[row * columns + j]!);
      const t = f(w * norms[j]!);
      const b = f(w * base[step]![j]!);
      // Less than fp32 sums can tell is no difference: a saturated neuron's norms are equal but for rounding.
      const exceeds = t > b && norms[j]! - base[step]![j]! > 2 ** -20 * base[step]![j]!;
      return { j, t, b, exceeds, rank: isContrasting(settings.selection) ? f(t - f(f(settings.margin) * b)) : t };
    });
    return scored
      .sort((x, y) => y.rank - x.rank || x.j - y.j)
      .slice(0, Math.floor(settings.skillRatio * columns))
      .filter(({ t, b, exceeds }) => exceeds && (settings.selection !== 'specific' || t > f(f(settings.margin) * b)))
      .map(({ j }) => j)
      .sort((x, y) => x - y);
  });
}

function expectDefinition(each: Case, settings: LayerSettings): void {
  const { steps, union } = scoreLayer(each, each, settings);
  for (let row = 0; row < each.out; row++) {
    const expected = sorted(each, row, settings);
    const counts = new Map<number, number>();
    for (const j of expected.flat()) counts.set(j, (counts.get(j) ?? 0) + 1);
    for (let j = 0; j < each.in; j++) {
      for (const [step, columns] of expected.entries())
        expect(hasBit(steps[step]!, row, j), `row ${row}, column ${j}, step ${step}`).toBe(columns.includes(j));
      const limit = Math.fround(settings.selectRatio * steps.length);
      expect(hasBit(union, row, j), `row ${row}, column ${j}`).toBe((counts.get(j) ?? 0) > limit);
    }
  }
}

/** Few values, so that ties abound; or any, of every magnitude. */
const numbers = (least: number) =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(0, 0.5, 1, 1, 2).map((value) => (least < 0 && value === 2 ? -2 : value)) },
    { weight: 3, arbitrary: fc.float({ min: least, max: 4, noNaN: true }) },
    { weight: 1, arbitrary: fc.constantFrom(2 ** -149, 2 ** -130, 2 ** 60, 2 ** -60) },
  );

const cases: fc.Arbitrary<Case> = fc
  .record({
    out: fc.integer({ min: 1, max: 5 }),
    in: fc.integer({ min: 1, max: 19 }),
    steps: fc.integer({ min: 1, max: 4 }),
  })
  .chain(({ out, in: columns, steps }) => {
    const floats = (length: number, least: number) =>
      fc.array(numbers(least), { minLength: length, maxLength: length }).map((list) => Float32Array.from(list));
    const norms = fc.array(floats(columns, 0), { minLength: steps, maxLength: steps });
    return fc.record({
      out: fc.constant(out),
      in: fc.constant(columns),
      data: floats(out * columns, -4),
      base: norms,
      target: norms,
    });
  });

const settingsOf: fc.Arbitrary<LayerSettings> = fc.record({
  skillRatio: fc.constantFrom(0.01, 0.1, 0.3, 0.5, 1),
  selection: fc.constantFrom(...selections),
  margin: fc.constantFrom(0, 0.3, 1, 1.5, 10),
  selectRatio: fc.constantFrom(0, 0.35, 0.5, 0.99),
});

describe('scoreLayer', () => {
  it('selects what sorting whole rows selects, ties and subnormals included', () => {
    fc.assert(fc.property(cases, settingsOf, expectDefinition), { numRuns: 500 });
  });

  it('does not depend on what the row or step before made it expect', () => {
    // Rows and steps that differ by factors of thousands, both ways, and rows of zeros between.
    const columns = 64;
    const scales = [1, 1e-6, 1e6, 0, 1, 1e3, 1, 1];
    const wave = (i: number) => 1 + Math.abs(Math.sin(i * 12.9898));
    const data = Float32Array.from({ length: scales.length * columns }, (_, i) => {
      const row = Math.floor(i / columns);
      return scales[row]! * wave(i) * (row === 6 && i % columns > 9 ? 1e-9 : 1);
    });
    const steps = [1, 1e-5, 1e5, 1];
    const norms = (seed: number) =>
      steps.map((scale, step) => Float32Array.from({ length: columns }, (_, i) => scale * wave(i * seed + step)));
    const each = { out: scales.length, in: columns, data, base: norms(3), target: norms(7) };
    expectDefinition(each, reference);
    expectDefinition(each, { ...reference, selection: 'contrast', margin: 2 });
  });

  it('breaks a tie by the lower column', () => {
    const data = new Float32Array(8).fill(-3);
    const base = [new Float32Array(8)];
    const { union } = scoreLayer({ out: 1, in: 8, data }, { base, target: [new Float32Array(8).fill(2)] }, reference);
    expect([...union.bytes]).toEqual([0b00000011]);
  });

  it('prunes nothing of a row whose budget is less than one weight', () => {
    const one = [Float32Array.of(1, 1, 1)];
    const none = [Float32Array.of(0, 0, 0)];
    const { union } = scoreLayer(
      { out: 1, in: 3, data: Float32Array.of(1, 1, 1) },
      { base: none, target: one },
      reference,
    );
    expect([...union.bytes]).toEqual([0]);
  });

  it('counts steps as the reference does: 29 of 100 are not more than 0.29', () => {
    const most = (steps: number) => {
      const target = Array.from({ length: 100 }, (_, t) => Float32Array.of(t < steps ? 1 : 0));
      const base = target.map(() => Float32Array.of(0));
      const settings: LayerSettings = { ...reference, skillRatio: 1, selectRatio: 0.29 };
      return scoreLayer({ out: 1, in: 1, data: Float32Array.of(1) }, { base, target }, settings).union.bytes[0];
    };
    expect([most(29), most(30)]).toEqual([0, 1]);
  });

  it.each<[string, number[], number[], RegExp]>([
    ['a weight that is NaN', [1, NaN], [1, 1], /row 0 of the weight/],
    ['an infinite weight', [1, -Infinity], [1, 1], /row 0 of the weight/],
    ['a weight of another size', [1, 2, 3], [1, 1], /not a matrix \[1, 2\]/],
    ['norms of another layer', [1, 2], [1, 1, 1], /3 neurons for 2 columns/],
    ['a norm that is NaN', [1, 2], [NaN, 1], /a norm is NaN/],
    ['a negative norm', [1, 2], [-1, 1], /a norm is -1/],
  ])('refuses %s', (_, data, norms, reason) => {
    const target = [Float32Array.from(norms)];
    const weight = { out: 1, in: 2, data: Float32Array.from(data) };
    expect(() => scoreLayer(weight, { base: [Float32Array.of(1, 1)], target }, reference)).toThrow(reason);
  });

  it.each(['reference', 'contrast', 'specific'] as const)(
    'selects nothing of a neuron that saturates in both lists, by %s, whose norms differ by rounding alone',
    (selection) => {
      // sqrt of 16 rows that add 1 each, and of the same with a rounding of 2^-23 in it.
      const target = Float32Array.of(4 * (1 + 2 ** -22), 4, 4.001);
      const base = Float32Array.of(4, 4 * (1 + 2 ** -22), 4);
      const weight = { out: 1, in: 3, data: Float32Array.of(100, 100, 1) };
      const settings = { skillRatio: 1, selection, margin: 1, selectRatio: 0 };
      const { union } = scoreLayer(weight, { base: [base], target: [target] }, settings);
      expect([0, 1, 2].map((j) => hasBit(union, 0, j))).toEqual([false, false, true]);
    },
  );
});
