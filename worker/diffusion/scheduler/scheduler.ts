import type { SchedulerConfig } from './scheduler-config.ts';
import type { SchedulerName } from './scheduler-name.ts';

/** What a scheduler carries from one UNet call to the next: a plain value that can be stored and continued on another machine. */
export interface SchedulerState {
  /** Index of the UNet call that comes next. */
  readonly step: number;
  /** Earlier model outputs and samples, each as long as the latents; how many, and which, is the scheduler's own affair. */
  readonly history: readonly Float32Array[];
}

/** A diffusion scheduler for one number of inference steps. It works on the latents of one trajectory and changes no argument. */
export interface Scheduler {
  readonly name: SchedulerName;
  /** One entry per UNet call, in order: PNDM has 51 for 50 inference steps, Euler can have fractions. */
  readonly timesteps: readonly number[];
  /** Initial latents = noise times this, in fp32. */
  readonly initNoiseSigma: number;
  /** Whether a step needs noise of the latents' shape, one draw per UNet call, the last one included. */
  readonly needsNoise: boolean;
  init(): SchedulerState;
  /** What the UNet is given for these latents; may be `sample` itself. */
  scaleModelInput(state: SchedulerState, sample: Float32Array): Float32Array;
  /** The latents after the UNet call that `state` stands before. */
  step(
    state: SchedulerState,
    modelOutput: Float32Array,
    sample: Float32Array,
    noise?: Float32Array,
  ): { readonly state: SchedulerState; readonly sample: Float32Array };
}

export declare function createScheduler(name: SchedulerName, config: SchedulerConfig, steps: number): Scheduler;
