import { accumulate, combine, emptySum, type ExactSum, statisticsInvalid } from './exact-sum.ts';
import { checkPartial, type Partial, partialInvalid, statisticOf, type TappedLayer } from './partial.ts';

/** A layer of a cohort, and how much of it the cohort sums. */
export interface SummedLayer extends TappedLayer {
  /** Rows that all of the cohort's statistics of one step are made of, with multiplicity: R of `ExactSum`. */
  readonly rows: number;
  /** Steps, from the first; 1 where the input depends on neither step nor image (attn-key, attn-value, text). */
  readonly steps: number;
}

/** The sums of one layer, by step. */
export interface LayerSum {
  readonly layer: SummedLayer;
  readonly steps: readonly ExactSum[];
}

/** The sum of a cohort, or of a part of it: for every layer and step the exact sum of its statistics. */
export interface CohortSum {
  readonly cohort: string;
  /** Ordered by site and name (code points), each once. */
  readonly layers: readonly LayerSum[];
}

/** A unit's result and what it counts for in a cohort. */
export interface CohortPart {
  readonly partial: Partial;
  /** Who computed it, for messages. */
  readonly worker: string;
  /** First step of the unit's window; 0 for a text encoder pass. */
  readonly from: number;
  /**
   * How often each item of the unit counts in the cohort; 0 if it is not in it. A trajectory counts as often as it is
   * listed. Of a text encoder pass, a prompt counts once for every trajectory of it and, under guidance, the empty prompt
   * once for every trajectory there is: both rows of a guided batch are rows, padding included, as in the reference.
   */
  readonly counts: readonly number[];
}

/** What tells layers apart. */
export function layerKey({ site, name }: TappedLayer): string {
  return `${site} ${name}`;
}

/** The sum of nothing. @throws LetheError `statistics-invalid` for a layer that is there twice, and counts that are none. */
export function emptyCohortSum(cohort: string, layers: readonly SummedLayer[]): CohortSum {
  const sorted = layers.toSorted((a, b) => (layerKey(a) < layerKey(b) ? -1 : 1));
  for (const [i, layer] of sorted.entries()) {
    const previous = sorted[i - 1];
    if (previous !== undefined && layerKey(previous) === layerKey(layer))
      throw statisticsInvalid(layerKey(layer), 'the layer is there twice');
    if (!Number.isInteger(layer.steps) || layer.steps < 1)
      throw statisticsInvalid(layerKey(layer), `it cannot have ${layer.steps} steps`);
  }
  return {
    cohort,
    layers: sorted.map((layer) => ({
      layer,
      steps: Array.from({ length: layer.steps }, () => emptySum(layer.neurons, layer.rows)),
    })),
  };
}

/**
 * `sum` and the results of units, in any order. Layers and steps that the cohort does not sum are left out: a unit may
 * have been run for more.
 *
 * @throws LetheError `partial-invalid` with the worker's name for what it cannot have computed; `statistics-invalid` for
 * counts of another length and totals that are too large.
 */
export function addParts(sum: CohortSum, parts: Iterable<CohortPart>): CohortSum {
  const own = new Map(
    sum.layers.map(({ layer, steps }) => [
      layerKey(layer),
      { layer, steps: steps.map(({ values, count }) => ({ values: values.slice(), count })) },
    ]),
  );
  for (const { partial, worker, from, counts } of parts) {
    checkPartial(partial, worker);
    if (counts.length !== partial.items)
      throw statisticsInvalid(
        `unit ${partial.unit}`,
        `it has ${partial.items} items, and ${counts.length} are counted`,
      );
    for (const [index, tapped] of partial.layers.entries()) {
      const target = own.get(layerKey(tapped));
      if (target === undefined) continue;
      if (target.layer.neurons !== tapped.neurons) {
        const why = `it has ${tapped.neurons} neurons, and the cohort's layer has ${target.layer.neurons}`;
        throw partialInvalid(worker, `unit ${partial.unit}, ${tapped.name}`, why);
      }
      for (let step = 0; step < partial.steps; step++) {
        const total = target.steps[from + step];
        if (total === undefined) continue;
        for (const [item, count] of counts.entries()) {
          if (count !== 0) accumulate(total.values, target.layer.rows, statisticOf(partial, index, step, item), count);
          total.count += count;
        }
      }
    }
  }
  const layers = [...own.values()].map(({ layer, steps }) => ({
    layer,
    steps: steps.map(({ values, count }) => ({ rows: layer.rows, count, values })),
  }));
  return { cohort: sum.cohort, layers };
}

/** Two sums of parts of one cohort. @throws LetheError `statistics-invalid` if they are of different cohorts or layers. */
export function combineCohortSums(a: CohortSum, b: CohortSum): CohortSum {
  if (a.cohort !== b.cohort) throw statisticsInvalid('cohorts', `${a.cohort} and ${b.cohort} are not one`);
  if (a.layers.length !== b.layers.length)
    throw statisticsInvalid('layers', `one sum has ${a.layers.length}, the other ${b.layers.length}`);
  const layers = a.layers.map(({ layer, steps }, i) => {
    const other = b.layers[i];
    if (other === undefined || layerKey(other.layer) !== layerKey(layer) || other.steps.length !== steps.length)
      throw statisticsInvalid(layerKey(layer), 'the other sum has other layers or steps');
    return { layer, steps: steps.map((each, step) => combine(each, other.steps[step] ?? each)) };
  });
  return { cohort: a.cohort, layers };
}

/**
 * Refuses a sum that is not of the whole cohort, or counts something twice.
 *
 * @param expected statistics a step, with multiplicity, by site: the cohort's trajectories; for the sites of a text
 * encoder pass twice as many under guidance.
 * @throws LetheError `statistics-invalid` with the layer and step.
 */
export function checkComplete(sum: CohortSum, expected: (layer: SummedLayer) => number): void {
  for (const { layer, steps } of sum.layers) {
    for (const [step, { count }] of steps.entries()) {
      if (count === expected(layer)) continue;
      const why = `${count} statistics are in the sum of cohort ${sum.cohort}, and it has ${expected(layer)}`;
      throw statisticsInvalid(`${layerKey(layer)}, step ${step}`, why);
    }
  }
}
