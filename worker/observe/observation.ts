import type { Partial } from '../../shared/statistics/partial.ts';

/** What a unit gives. */
export interface Observation {
  readonly partial: Partial;
  /** Each trajectory after the window, as `encodeTrajectory` stores it; none for an encode unit. */
  readonly states: readonly Uint8Array[];
  /** Of each step of the window; none for an encode unit. */
  readonly timesteps: readonly number[];
}
