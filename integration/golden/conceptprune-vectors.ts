import type { LayerNorms } from '../../shared/method/conceptprune/norms.ts';
import { selectionLimit } from '../../shared/method/conceptprune/score-layer.ts';
import type { LayerSettings } from '../../shared/method/conceptprune/settings.ts';
import { type BitMatrix, hasBit } from '../../shared/tensor/bit-matrix.ts';
import type { GoldenLayer } from './conceptprune-pair.ts';

/** Norms may differ by so much of the layer's and step's largest, and so margins by as much times |W|. */
const tolerance = 1e-4;

/** Of a concept's set bits so many may differ, all of them at ties. */
const tieShare = 1e-3;

/** A layer as Lethe computed it. */
export interface OwnLayer {
  readonly norms: LayerNorms;
  readonly union: BitMatrix;
  /** [out, in], fp32. */
  readonly weight: Float32Array;
}

/** How a layer's mask compares. */
export interface LayerComparison {
  readonly name: string;
  /** max |own − golden| / the step's largest golden norm, over steps, base and target. */
  readonly normError: number;
  /** Weights for which both say the same. */
  readonly equal: number;
  /** Weights that differ, and may: a margin of theirs is within what norms may differ by. */
  readonly tied: number;
  /** Weights that differ, and must not. */
  readonly wrong: number;
  /** Weights that the golden mask prunes. */
  readonly set: number;
}

/** Compares one layer. */
export function compareLayer(own: OwnLayer, golden: GoldenLayer, settings: LayerSettings): LayerComparison {
  const tally = { equal: 0, tied: 0, wrong: 0, set: 0 };
  for (let row = 0; row < golden.out; row++) {
    let mayDiffer: ((column: number) => boolean) | undefined;
    for (let column = 0; column < golden.in; column++) {
      const expected = golden.mask[row * golden.in + column] === 1;
      if (expected) tally.set += 1;
      if (hasBit(own.union, row, column) === expected) tally.equal += 1;
      else {
        mayDiffer ??= boundaryOf(own.weight, golden, row, settings);
        tally[mayDiffer(column) ? 'tied' : 'wrong'] += 1;
      }
    }
  }
  const errors = (['base', 'target'] as const).map((role) => normError(own.norms[role], golden.norms[role]));
  return { name: golden.name, normError: Math.max(...errors), ...tally };
}

/** Compares all layers of a concept. Passed: norms within the tolerance, no wrong bit, ties at most 0.1 % of the set bits. */
export function compareMask(
  own: ReadonlyMap<string, OwnLayer>,
  golden: { readonly layers: readonly GoldenLayer[]; readonly settings: LayerSettings },
): { readonly layers: readonly LayerComparison[]; readonly passed: boolean } {
  const layers = golden.layers.map((layer): LayerComparison => {
    const found = own.get(layer.name);
    const all = layer.out * layer.in;
    if (found?.union.rows !== layer.out || found.union.columns !== layer.in || found.weight.length !== all)
      return { name: layer.name, normError: Infinity, equal: 0, tied: 0, wrong: all, set: 0 };
    return compareLayer(found, layer, golden.settings);
  });
  const total = (key: 'tied' | 'wrong' | 'set') => layers.reduce((sum, layer) => sum + layer[key], 0);
  const near = layers.every(({ normError: error }) => error <= tolerance);
  return { layers, passed: near && total('wrong') === 0 && total('tied') <= tieShare * total('set') };
}

function normError(own: readonly Float32Array[], golden: readonly Float32Array[]): number {
  if (own.length !== golden.length) return Infinity;
  const errors = golden.map((norms, step) => {
    const mine = own[step];
    if (mine?.length !== norms.length) return Infinity;
    const difference = norms.reduce((most, norm, i) => Math.max(most, Math.abs(norm - (mine[i] ?? NaN))), 0);
    // NaN in either is no match.
    return difference <= Infinity ? difference / Math.max(...norms) : Infinity;
  });
  return Math.max(...errors);
}

/**
 * Which weights of a row stand so near a boundary that their bit may differ: at enough steps their margin, to the row's
 * cut or between S_target and S_base, is below 1e-4 × the step's largest norm × |W|. The margin of a selected weight to the
 * cut is its distance from the first that is not selected, and the other way round.
 */
function boundaryOf(
  weight: Float32Array,
  { norms, in: columns }: GoldenLayer,
  row: number,
  { skillRatio, selectRatio }: LayerSettings,
): (column: number) => boolean {
  const budget = Math.floor(skillRatio * columns);
  const magnitudes = weight.subarray(row * columns, (row + 1) * columns).map(Math.abs);
  const steps = norms.target.map((target, step) => {
    const base = norms.base[step] ?? target;
    const ofTarget = magnitudes.map((magnitude, j) => magnitude * (target[j] ?? NaN));
    const ofBase = magnitudes.map((magnitude, j) => magnitude * (base[j] ?? NaN));
    const sorted = ofTarget.toSorted((a, b) => b - a);
    const last = sorted[budget - 1] ?? Infinity;
    const next = sorted[budget] ?? -Infinity;
    return { ofTarget, ofBase, last, next, largest: Math.max(...target, ...base) };
  });
  const limit = selectionLimit(selectRatio, steps.length);
  return (column) => {
    let least = 0;
    let most = 0;
    for (const { ofTarget, ofBase, last, next, largest } of steps) {
      const score = ofTarget[column] ?? NaN;
      const lead = score - (ofBase[column] ?? NaN);
      const within = tolerance * largest * (magnitudes[column] ?? NaN);
      const surely = score - next >= within && lead >= within;
      const surelyNot = last - score >= within || -lead >= within;
      if (surely) least += 1;
      if (!surelyNot) most += 1;
    }
    return least <= limit && most > limit;
  };
}
