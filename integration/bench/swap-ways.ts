import type { Graph } from '../../shared/model/graph/graph.ts';
import { floatConstant, input, type Parameter, type Value } from '../../shared/model/graph/value.ts';
import { encodeModel, withWeights } from '../../shared/model/graph/encode.ts';
import { apply } from '../../shared/model/ops/apply.ts';
import { cast, reshape, where } from '../../shared/model/ops/layout.ts';
import { commonDirectory } from '../../shared/checkpoint/common-directory.ts';
import { ParameterSource } from '../../shared/model/module.ts';
import type { Weights } from '../../shared/checkpoint/weights.ts';
import { readTensorAt } from '../../shared/checkpoint/read-tensor.ts';
import { type BitMatrix, setPlaces } from '../../shared/tensor/bit-matrix.ts';
import { readPruned } from '../../worker/session/pruned-weights.ts';
import { openRuntime, type RuntimeFeed, type RuntimeSession } from './runtime.ts';

/**
 * Ways to run a model with a mask. `constant`: weights without a mask, as files have them. `rebuilt`: constants with zeros in
 * them. `fed`: pruned weights as inputs. `scattered`: constants, into which every run writes zeros at places that are
 * inputs. `chosen`: constants, of which every run chooses those that a truth value a weight, an input, says.
 */
export const swapWays = ['constant', 'rebuilt', 'fed', 'scattered', 'chosen'] as const;
export type SwapWay = (typeof swapWays)[number];

/** Weights of a model whose matrices in `sets` are pruned in one of the ways. */
export class SwapSource extends ParameterSource {
  readonly way: SwapWay;
  readonly #sets: ReadonlyMap<string, BitMatrix>;
  readonly #made = new Map<string, { readonly stored: Parameter; readonly value: Value }>();

  constructor(weights: Weights, sets: ReadonlyMap<string, BitMatrix>, way: SwapWay) {
    super(weights);
    this.way = way;
    this.#sets = sets;
  }

  override float(name: string, shape: readonly number[]): Value {
    const set = this.#sets.get(name);
    if (set === undefined || this.way === 'constant') return super.float(name, shape);
    const stored = this.stored(name, shape);
    const made = this.#made.get(name) ?? { stored, value: swapped(this.way, stored, set) };
    this.#made.set(name, made);
    return made.value;
  }

  /** What every run of the model is fed beside its own inputs. */
  async feeds(): Promise<Readonly<Record<string, RuntimeFeed>>> {
    const feeds: Record<string, RuntimeFeed> = {};
    for (const [name, { stored }] of this.#made) {
      const set = this.#sets.get(name);
      const shape = stored.type.shape.map(Number);
      if (set === undefined) continue;
      const places = setPlaces(set, 0, set.rows);
      if (this.way === 'fed') {
        const { file, offset, length } = stored.location;
        const dtype = stored.type.element === 'float16' ? 'F16' : 'F32';
        const { data } = await readTensorAt(file, { name, dtype, shape, begin: offset, end: offset + length });
        for (const place of places) data[place] = 0;
        feeds[`${name}.fed`] = { type: 'float32', shape, data: data as Float32Array };
      } else if (this.way === 'scattered') {
        feeds[`${name}.places`] = {
          type: 'int64',
          shape: [places.length, 1],
          data: BigInt64Array.from(places, BigInt),
        };
        feeds[`${name}.zeros`] = { type: 'float32', shape: [places.length], data: new Float32Array(places.length) };
      } else if (this.way === 'chosen') {
        const data = new Uint8Array(set.rows * set.columns).fill(1);
        for (const place of places) data[place] = 0;
        feeds[`${name}.kept`] = { type: 'bool', shape, data };
      }
    }
    return feeds;
  }
}

function swapped(way: SwapWay, stored: Parameter, set: BitMatrix): Value {
  const { name } = stored;
  const shape = stored.type.shape.map(Number);
  const type = { element: 'float', shape } as const;
  switch (way) {
    case 'constant':
      return cast(name, stored, 'float');
    case 'rebuilt':
      return cast(name, { ...stored, pruned: { set, first: 0 } }, 'float');
    case 'fed':
      return input(`${name}.fed`, type);
    case 'scattered': {
      const flat = reshape(`${name}.flat`, cast(name, stored, 'float'), [set.rows * set.columns]);
      const places = input(`${name}.places`, { element: 'int64', shape: [`${name}.count`, 1] });
      const zeros = input(`${name}.zeros`, { element: 'float', shape: [`${name}.count`] });
      return reshape(`${name}.matrix`, apply('ScatterND', name, [flat, places, zeros], flat.type), shape);
    }
    case 'chosen': {
      const kept = input(`${name}.kept`, { element: 'bool', shape });
      return where(name, kept, cast(name, stored, 'float'), floatConstant(`${name}/zero`, [1], [0]));
    }
  }
}

/** Loads a graph over the weights of `source` on this thread. */
export async function openSwap(graph: Graph, source: SwapSource, threads: number): Promise<RuntimeSession> {
  const directory = commonDirectory(graph.parameters.map(({ location }) => location.file));
  const pruned: { parameter: Parameter; bytes: Uint8Array }[] = [];
  for (const parameter of graph.parameters)
    if (parameter.pruned !== undefined) pruned.push({ parameter, bytes: await readPruned(parameter) });
  const model = withWeights(encodeModel(graph, directory), pruned);
  const session = await openRuntime(model, `${graph.name} ${source.way}`, directory, threads);
  const own = await source.feeds();
  return { ...session, run: (feeds) => session.run({ ...feeds, ...own }) };
}
