import type { ComponentName } from '../checkpoint/tensor-names.ts';
import type { Weights } from '../checkpoint/weights.ts';
import type { SiteName } from '../model/site.ts';
import type { Dim } from '../model/graph/tensor-type.ts';
import type { Value } from '../model/graph/value.ts';
import type { BitMatrix } from '../tensor/bit-matrix.ts';
import type { TrajectoryKey } from '../unit/unit.ts';

/**
 * A pruning method: state → units of the next round, or done; a graph per unit whose outputs are summed; reduce → state;
 * final state → what changes in the weights. States are values, so any machine may take any step. A method knows prompts,
 * sites and steps; batches, windows, workers and retries are the plan's and the queue's.
 *
 * @typeParam Sum what the outputs of a cohort add up to.
 * @typeParam Tools what `finish` needs besides weights, such as threads.
 */
export interface Method<State, Sum, Tools> {
  /** As it stands in campaigns and mask files. */
  readonly name: string;
  /** What has to be run next; nothing if the state is final. */
  next(state: State): readonly Demand[];
  /**
   * The outputs of a unit that are summed over the cohort, one row an item.
   *
   * @param inputs inputs of layers by path, as `linearInputs` finds them in what the unit computes.
   */
  outputs(demand: Demand, inputs: ReadonlyMap<string, Value>, items: Dim): readonly SummedOutput[];
  /** The state after a round: `sums` holds the sum of every demand, by its name. */
  reduce(state: State, sums: ReadonlyMap<string, Sum>): State;
  /** What a final state changes. */
  finish(state: State, weights: Readonly<Record<ComponentName, Weights>>, tools: Tools): Promise<WeightChange>;
}

/** Trajectories to be run, from their first step, and the sites that are observed. The plan makes units of it. */
export interface Demand {
  /** Of the demand, in its round. */
  readonly name: string;
  /** A multiset: what is listed twice counts twice, and is run once. */
  readonly trajectories: readonly TrajectoryKey[];
  readonly sites: readonly SiteName[];
  readonly steps: number;
}

/** An output of a unit's graph that is summed. */
export interface SummedOutput {
  readonly site: SiteName;
  /** Path of the layer. */
  readonly name: string;
  readonly value: Value;
}

/** What a method does to a checkpoint. */
export type WeightChange = MaskChange | IncrementChange;

/** Weights that become 0. */
export interface MaskChange {
  readonly kind: 'mask';
  readonly layers: readonly MaskedLayer[];
}

/** What is pruned of one weight matrix. */
export interface MaskedLayer {
  readonly site: SiteName;
  /** Path of the layer; its weight's name without `.weight`. */
  readonly name: string;
  /** Pruned at whatever step. */
  readonly union: BitMatrix;
  /** Pruned at each observed step; none where the layer's input does not depend on the step. */
  readonly steps: readonly BitMatrix[];
}

/** Low-rank matrices up · down that are added to weights and can be taken away again. */
export interface IncrementChange {
  readonly kind: 'increment';
  readonly layers: readonly {
    readonly name: string;
    readonly rank: number;
    /** [out, rank], row-major. */
    readonly up: Float32Array;
    /** [rank, in], row-major. */
    readonly down: Float32Array;
  }[];
}
