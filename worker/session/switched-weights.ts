import { floatsOf, readTensorAt } from '../../shared/checkpoint/read-tensor.ts';
import type { TensorDtype } from '../../shared/checkpoint/tensor-dtype.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import type { ElementType } from '../../shared/model/graph/tensor-type.ts';
import type { Input, PrunedRows } from '../../shared/model/graph/value.ts';
import { setPlaces } from '../../shared/tensor/bit-matrix.ts';

const dtypes: Partial<Record<ElementType, TensorDtype>> = {
  float: 'F32',
  double: 'F64',
  float16: 'F16',
  bfloat16: 'BF16',
};

/** One weight as it is fed, and what was taken out of it. */
interface Switched {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
  readonly sets: readonly PrunedRows[];
  places: Uint32Array;
  /** What was at `places`. */
  taken: Float32Array;
}

/**
 * The switched weights of one session, in fp32: one array each, in which the entries of the set in use are 0. Changing the
 * set puts back what was taken out and takes out the next: a few ten thousand writes, and no second copy of a weight.
 */
export class SwitchedWeights {
  readonly #weights: readonly Switched[];
  #current = -1;

  private constructor(weights: readonly Switched[]) {
    this.#weights = weights;
  }

  /** @throws LetheError `safetensors-invalid`, `tensor-mismatch`. */
  static async read(inputs: readonly Input[]): Promise<SwitchedWeights> {
    const weights: Switched[] = [];
    for (const { name, type, weight } of inputs) {
      if (weight === undefined) continue;
      const { location, type: stored } = weight.stored;
      const shape = type.shape.map(Number);
      const [begin, end] = [location.offset, location.offset + location.length];
      const entry = { name: weight.stored.name, dtype: dtypes[stored.element] ?? 'I64', shape, begin, end };
      const data = floatsOf(await readTensorAt(location.file, entry));
      if (data === undefined) throw defect(name, `its weight is stored as ${stored.element}`);
      const nothing = { places: new Uint32Array(), taken: new Float32Array() };
      weights.push({ name, shape, values: data, sets: weight.sets, ...nothing });
    }
    return new SwitchedWeights(weights);
  }

  /** The weights with the set of this number taken out, by the names of the inputs. Valid until the next call. */
  feeds(set: number | undefined): readonly Pick<Switched, 'name' | 'shape' | 'values'>[] {
    if (this.#weights.length > 0 && set !== this.#current) {
      for (const weight of this.#weights) this.#switch(weight, set);
      this.#current = set ?? -1;
    }
    return this.#weights;
  }

  #switch(weight: Switched, set: number | undefined): void {
    const rows = set === undefined ? undefined : weight.sets[set];
    if (rows === undefined) throw defect(weight.name, `a run names set ${set ?? 'none'} of ${weight.sets.length}`);
    const { values, places, taken } = weight;
    for (let i = 0; i < places.length; i++) values[places[i] ?? 0] = taken[i] ?? 0;
    weight.places = setPlaces(rows.set, rows.first, weight.shape[0] ?? 0);
    weight.taken = Float32Array.from(weight.places, (place) => values[place] ?? 0);
    for (const place of weight.places) values[place] = 0;
  }
}

function defect(where: string, why: string): LetheError {
  return new LetheError('session-failed', {
    what: 'cannot switch a weight',
    where,
    why,
    next: 'report this as a defect of Lethe',
  });
}
