import { LetheError } from '../error/lethe-error.ts';
import type { SiteName } from '../model/site.ts';

/** A layer whose input is summed. */
export interface TappedLayer {
  readonly site: SiteName;
  /** Path of the layer. */
  readonly name: string;
  /** Input neurons. */
  readonly neurons: number;
}

/**
 * The statistics of one unit, as the device gave them: fp32, no rounding, no multiplicity. `values` holds, for each step
 * of the window, for each layer in order, for each trajectory (or prompt) in the unit's order, one number per neuron.
 */
export interface Partial {
  readonly unit: string;
  readonly layers: readonly TappedLayer[];
  /** Steps of the window; 1 for a text encoder pass. */
  readonly steps: number;
  /** Trajectories, or prompts. */
  readonly items: number;
  readonly values: Float32Array;
}

/** Numbers in a partial of this shape. */
export function partialLength(layers: readonly TappedLayer[], steps: number, items: number): number {
  return layers.reduce((sum, layer) => sum + layer.neurons, 0) * steps * items;
}

/** The statistic of one layer, step (within the window) and item: a view, [neurons]. */
export function statisticOf(partial: Partial, layer: number, step: number, item: number): Float32Array {
  const { layers, items, values } = partial;
  const perItem = layers.reduce((sum, each) => sum + each.neurons, 0);
  const before = layers.slice(0, layer).reduce((sum, each) => sum + each.neurons, 0);
  const neurons = layers[layer]?.neurons ?? 0;
  const begin = step * perItem * items + before * items + item * neurons;
  return values.subarray(begin, begin + neurons);
}

/**
 * Refuses a partial that cannot be merged: NaN, infinity, negative values, a wrong length.
 *
 * @throws LetheError `partial-invalid` with the worker's name, the layer, the step, the item and the neuron.
 */
export function checkPartial(partial: Partial, worker: string): void {
  const { layers, steps, items, values } = partial;
  const expected = partialLength(layers, steps, items);
  if (values.length !== expected)
    throw partialInvalid(
      worker,
      `unit ${partial.unit}`,
      `it has ${values.length} numbers, and its shape asks for ${expected}`,
    );
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? NaN;
    if (!(value >= 0 && value < Infinity)) throw partialInvalid(worker, placeOf(partial, i), `it holds ${value}`);
  }
}

/** Where in the unit a number is. */
function placeOf({ unit, layers, steps, items }: Partial, index: number): string {
  let left = index;
  for (let step = 0; step < steps; step++) {
    for (const { name, neurons } of layers) {
      if (left < neurons * items) {
        const item = Math.floor(left / neurons);
        return `unit ${unit}, ${name}, step ${step} of the window, item ${item}, neuron ${left % neurons}`;
      }
      left -= neurons * items;
    }
  }
  return `unit ${unit}`;
}

/** LetheError `partial-invalid`. */
export function partialInvalid(worker: string, where: string, why: string): LetheError {
  return new LetheError('partial-invalid', {
    what: `cannot merge the partial of worker ${worker}`,
    where,
    why,
    next: 'look at that worker: its device computes wrongly, or its checkpoint holds values that are not finite',
  });
}
