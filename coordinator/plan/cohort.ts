import type { SamplingSpec, TrajectoryKey } from '../../shared/unit/unit.ts';

/** A trajectory of a cohort and how often it counts. */
export interface CohortEntry extends TrajectoryKey {
  /** Times the prompt is listed with this seed. */
  readonly count: number;
}

/** A multiset of trajectories: one prompt list with seeds and sampling settings. */
export interface Cohort {
  /** Hash of entries and sampling, 64 hex digits. Not of the checkpoint: see `sumKey`. */
  readonly id: string;
  readonly sampling: SamplingSpec;
  /** Ordered by prompt (UTF-16 code units), then seed (as a number). */
  readonly entries: readonly CohortEntry[];
  /** Length of the prompt list: the sum of the counts. */
  readonly size: number;
}
