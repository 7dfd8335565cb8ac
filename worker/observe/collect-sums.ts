import { LetheError } from '../../shared/error/lethe-error.ts';
import type { TappedLayer } from '../../shared/statistics/partial.ts';
import type { FloatTensor } from '../../shared/tensor/float-tensor.ts';
import type { SweepGraph } from './sweep-graph.ts';

/**
 * Copies one call's sums into `into`, which is the step's part of a partial: layers in order, items in each.
 *
 * @param step index of the UNet call, for errors; undefined for a text encoder
 * @throws LetheError `non-finite` with the first layer in the order of execution whose sums are not finite.
 */
export function collectSums(
  outputs: ReadonlyMap<string, FloatTensor>,
  sweep: SweepGraph,
  layers: readonly TappedLayer[],
  items: number,
  step: number | undefined,
  into: Float32Array,
): void {
  let offset = 0;
  for (const [i, layer] of layers.entries()) {
    const sums = outputs.get(sweep.sums[i] ?? '')?.data ?? new Float32Array();
    const length = items * layer.neurons;
    if (sums.length !== length)
      throw new LetheError('session-failed', {
        what: 'cannot read the sums of a layer',
        where: layer.name,
        why: `the runtime gave ${sums.length} numbers, and ${items} items of ${layer.neurons} neurons have ${length}`,
        next: 'report this with the name of the execution provider',
        layer: layer.name,
      });
    into.set(sums, offset);
    offset += length;
  }
  if (!into.every(Number.isFinite)) throw nonFinite(outputs, sweep, layers, step);
}

/** Names the layer that was first to run: those after it inherit what it did. */
function nonFinite(
  outputs: ReadonlyMap<string, FloatTensor>,
  sweep: SweepGraph,
  layers: readonly TappedLayer[],
  step: number | undefined,
): LetheError {
  const order = new Map(sweep.graph.nodes.flatMap((node, i) => node.outputs.map(({ name }) => [name, i] as const)));
  const [first] = sweep.sums
    .map((name, i) => ({ name, layer: layers[i]?.name ?? name, place: order.get(name) ?? 0 }))
    .filter(({ name }) => outputs.get(name)?.data.every(Number.isFinite) === false)
    .sort((a, b) => a.place - b.place);
  const layer = first?.layer ?? 'unknown layer';
  return new LetheError('non-finite', {
    what: 'a layer was given a value that is not finite',
    where: step === undefined ? layer : `${layer}, step ${step}`,
    why: 'activations overflowed, or the weights hold values that are not finite',
    next: 'check the checkpoint with `lethe checkpoint inspect`; a lower guidance can help',
    layer,
    ...(step === undefined ? {} : { step }),
  });
}
