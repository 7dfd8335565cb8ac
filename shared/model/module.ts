import type { TensorDtype } from '../checkpoint/tensor-dtype.ts';
import type { Weights } from '../checkpoint/weights.ts';
import { LetheError } from '../error/lethe-error.ts';
import type { BitMatrix } from '../tensor/bit-matrix.ts';
import { type Dim, type ElementType, sameShape } from './graph/tensor-type.ts';
import type { Parameter, Value } from './graph/value.ts';
import { cast } from './ops/layout.ts';

/** Stored dtypes a model may have; all are computed in fp32. */
const elementTypes: Partial<Record<TensorDtype, ElementType>> = {
  F32: 'float',
  F64: 'double',
  F16: 'float16',
  BF16: 'bfloat16',
};

/**
 * What of a weight matrix counts as 0: a set, or one of several that every run names. A switched matrix is an input of the
 * graph, which the runtime cannot lay out in advance: its products cost more (docs/decision/010).
 */
export type PrunedWeight =
  | { readonly kind: 'always'; readonly set: BitMatrix }
  | { readonly kind: 'switched'; readonly sets: readonly BitMatrix[] };

/** By the names of the matrices. All switched ones of a model have as many sets. */
export type PrunedWeights = ReadonlyMap<string, PrunedWeight>;

/** The weights of one model, by the names diffusers gives them, as values of a graph. */
export class ParameterSource {
  readonly #weights: Weights;
  readonly #pruned: PrunedWeights;
  readonly #known = new Map<string, Parameter>();
  readonly #cast = new Map<string, Value>();

  constructor(weights: Weights, pruned: PrunedWeights = new Map()) {
    this.#weights = weights;
    this.#pruned = pruned;
  }

  /** Whether there is a weight of this name. */
  has(name: string): boolean {
    return this.#weights.tensors.has(name);
  }

  /**
   * A weight as it is stored.
   *
   * @throws LetheError `tensor-mismatch` if it is missing or has another shape or a dtype that is no floating-point one.
   */
  stored(name: string, shape: readonly number[]): Parameter {
    const location = this.#weights.tensors.get(name);
    const expected = `[${shape.join(',')}]`;
    if (location === undefined) {
      const files = this.#weights.files.map((file) => file.path).join(', ');
      throw mismatch(name, files, `there is no such tensor; the config asks for it with shape ${expected}`);
    }
    if (!sameShape(location.shape, shape))
      throw mismatch(
        name,
        location.file,
        `its shape is [${location.shape.join(',')}], the config asks for ${expected}`,
      );
    const element = elementTypes[location.dtype];
    if (element === undefined)
      throw mismatch(
        name,
        location.file,
        `its dtype is ${location.dtype}, not one of ${Object.keys(elementTypes).join(', ')}`,
      );
    let parameter = this.#known.get(name);
    if (parameter === undefined) {
      const length = location.end - location.begin;
      parameter = {
        kind: 'parameter',
        name,
        type: { element, shape },
        location: { file: location.file, offset: location.begin, length },
      };
      this.#known.set(name, parameter);
    }
    return parameter;
  }

  /** A weight in fp32, pruned; the runtime casts it once, when it loads the model. */
  float(name: string, shape: readonly number[]): Value {
    return this.#inFloat(this.stored(name, shape), name, 0);
  }

  /**
   * Rows `from` to `to` (not included) of a weight along its first axis, in fp32. Rows lie one after another in the
   * file, so they are a span of their own there: nothing is sliced or copied when the model runs.
   */
  rows(name: string, shape: readonly number[], from: number, to: number): Value {
    const whole = this.stored(name, shape);
    const [count = 1, ...rest] = shape;
    if (from === 0 && to === count) return this.#inFloat(whole, name, 0);
    const own = `${name}[${from}:${to}]`;
    const rowBytes = whole.location.length / count;
    const parameter = this.#known.get(own) ?? {
      kind: 'parameter',
      name: own,
      type: { element: whole.type.element, shape: [to - from, ...rest] },
      location: { ...whole.location, offset: whole.location.offset + from * rowBytes, length: (to - from) * rowBytes },
    };
    this.#known.set(own, parameter);
    return this.#inFloat(parameter, name, from);
  }

  /** @param name of the whole weight, of which `stored` is the rows from `first` on. */
  #inFloat(stored: Parameter, name: string, first: number): Value {
    let value = this.#cast.get(stored.name);
    if (value === undefined) {
      value = prune(stored, this.#pruned.get(name), first);
      this.#cast.set(stored.name, value);
    }
    return value;
  }
}

/** A place in a model's tree of modules, such as `down_blocks.0.resnets.1`: names its weights and its nodes. */
export class Module {
  readonly path: string;
  readonly parameters: ParameterSource;

  constructor(parameters: ParameterSource, path = '') {
    this.parameters = parameters;
    this.path = path;
  }

  child(name: string): Module {
    return new Module(this.parameters, this.path === '' ? name : `${this.path}.${name}`);
  }

  /** Whether there is a weight `<path>.<name>`. */
  has(name: string): boolean {
    return this.parameters.has(this.child(name).path);
  }

  /** The weight `<path>.<name>` in fp32. */
  parameter(name: string, shape: readonly number[]): Value {
    return this.parameters.float(this.child(name).path, shape);
  }
}

/** The size of an axis that is fixed when the graph is built. */
export function fixed(dim: Dim | undefined, what: string): number {
  if (typeof dim === 'number') return dim;
  throw new LetheError('graph-invalid', {
    what: 'cannot build the graph',
    where: what,
    why: `an axis that has to be fixed is ${dim ?? 'missing'}`,
    next: 'report it with config.json: the model family that asks for it has a defect',
  });
}

/** Zero takes the place of what is pruned, whatever it is: an infinite weight has no effect either. */
function prune(stored: Parameter, pruned: PrunedWeight | undefined, first: number): Value {
  switch (pruned?.kind) {
    case undefined:
      return cast(stored.name, stored, 'float');
    case 'always':
      return cast(stored.name, { ...stored, pruned: { set: pruned.set, first } }, 'float');
    case 'switched': {
      const sets = pruned.sets.map((set) => ({ set, first }));
      const { shape } = stored.type;
      return {
        kind: 'input',
        name: `${stored.name}.switched`,
        type: { element: 'float', shape },
        weight: { stored, sets },
      };
    }
  }
}

function mismatch(name: string, file: string, why: string): LetheError {
  return new LetheError('tensor-mismatch', {
    what: `cannot use tensor ${name}`,
    where: file,
    why,
    next: 'check that the weights and the config.json beside them are of the same model',
  });
}
