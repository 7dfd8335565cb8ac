/**
 * What each scheduler's own file provides: the numbers, for one number of inference steps. `createScheduler` adds the
 * checks that are the same for all, so a solver may take its arguments for granted.
 */
export interface Solver {
  /** One entry per UNet call, in order. */
  readonly timesteps: readonly number[];
  /** Initial latents = noise times this. */
  readonly initNoiseSigma: number;
  readonly needsNoise: boolean;
  /** How many arrays the history holds before the UNet call of this index. */
  historyLength(step: number): number;
  /** The UNet's input. May return `sample` itself. */
  scaleModelInput(step: number, sample: Float32Array): Float32Array;
  /** All arrays have the latents' length. `history` of the result may hold the arguments themselves. */
  advance(step: number, history: readonly Float32Array[], call: UNetCall): Advance;
}

/** What comes into a step. */
export interface UNetCall {
  readonly modelOutput: Float32Array;
  /** The latents the call was made for, before `scaleModelInput`. */
  readonly sample: Float32Array;
  /** Standard normal; empty where the solver needs none. */
  readonly noise: Float32Array;
}

export interface Advance {
  readonly history: readonly Float32Array[];
  readonly sample: Float32Array;
}
