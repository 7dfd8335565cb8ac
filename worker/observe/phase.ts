/** What a unit is at. A coordinator gives each phase a deadline, so a phase is told when it begins. */
export type Phase =
  /** A model is being loaded; over at once where it is loaded already. */
  | { readonly kind: 'loading' }
  /** The text encoder runs. */
  | { readonly kind: 'encoding' }
  /** The UNet call of this index runs; counted from the trajectory's start, not the window's. */
  | { readonly kind: 'step'; readonly step: number }
  /** Latents become images. */
  | { readonly kind: 'decoding' };

/** Where a unit's work is told of, and where it is asked to stop. */
export interface Supervision {
  onPhase(phase: Phase): void;
  /** Stops the unit between two phases, with LetheError `unit-stopped`: a call under way is not interrupted. */
  readonly signal: AbortSignal;
}

/** Calls that were made, counted where they are made. */
export interface CallCounter {
  /** UNet calls times the trajectories in each: what a reference that runs one prompt at a time would count. */
  unetCalls: number;
  /** Runs of a UNet session: one a step and batch. */
  unetRuns: number;
  /** Prompts that went through the text encoder. */
  prompts: number;
}

/** A counter at zero. */
export function noCalls(): CallCounter {
  return { unetCalls: 0, unetRuns: 0, prompts: 0 };
}
