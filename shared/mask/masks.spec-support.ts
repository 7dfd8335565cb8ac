import fc from 'fast-check';
import { type BitMatrix, emptyBits } from '../tensor/bit-matrix.ts';
import { type Mask, maskOf } from './mask.ts';

/** A set of these weights: [row, column]. */
export function bitsOf(rows: number, columns: number, weights: readonly (readonly [number, number])[]): BitMatrix {
  const set = emptyBits(rows, columns);
  const stride = Math.ceil(columns / 8);
  for (const [row, column] of weights) {
    const at = row * stride + (column >> 3);
    set.bytes[at] = (set.bytes[at] ?? 0) | (1 << (column & 7));
  }
  return set;
}

/** Any set of a shape. */
export function setsOf(rows: number, columns: number): fc.Arbitrary<BitMatrix> {
  const weight = fc.tuple(fc.nat({ max: rows - 1 }), fc.nat({ max: columns - 1 }));
  return fc.array(weight, { maxLength: 12 }).map((weights) => bitsOf(rows, columns, weights));
}

/** Timesteps of PNDM's first calls: the second is called twice. */
export const calls = [981, 961, 961, 941, 921];

/** Masks of one checkpoint: of some of three layers, one of which does not depend on the step, with τ from 1 to 5. */
export const masks: fc.Arbitrary<Mask> = fc.integer({ min: 1, max: calls.length }).chain((tau) =>
  fc
    .record({
      concept: fc.constantFrom('monet', 'poster', 'cat'),
      ratio: fc.constantFrom(0.01, 0.05),
      ffn: fc.option(fc.array(setsOf(3, 11), { minLength: tau, maxLength: tau })),
      other: fc.option(fc.array(setsOf(2, 16), { minLength: tau, maxLength: tau })),
      attention: fc.option(setsOf(2, 5)),
    })
    .map(({ concept, ratio, ffn, other, attention }) => {
      const layer = (name: string, steps: readonly BitMatrix[] | null) => {
        const [first] = steps ?? [];
        if (steps === null || first === undefined) return [];
        const bytes = first.bytes.map((_, i) => steps.reduce((all, each) => all | (each.bytes[i] ?? 0), 0));
        return [{ site: 'ffn2' as const, name, union: { ...first, bytes }, steps }];
      };
      const value =
        attention === null ? [] : [{ site: 'attn-value' as const, name: 'c.to_v', union: attention, steps: [] }];
      return maskOf({
        checkpoint: 'sha256:1',
        parts: [{ concept, method: 'conceptprune', settings: { tau, sites: [{ skillRatio: ratio }] } }],
        timesteps: calls.slice(0, tau),
        layers: [...value, ...layer('b.ff.net.2', other), ...layer('a.ff.net.2', ffn)],
      });
    }),
);
