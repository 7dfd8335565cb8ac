import type { TappedLayer } from '../statistics/partial.ts';
import type { Output, Unit } from '../unit/unit.ts';

/**
 * What coordinator and worker say to each other, as plain values: the domain side of proto/fleet/v1/work.proto, where
 * every word is explained.
 *
 * A task is one queue entry: a unit and the sites, or the images, wanted of it. Its name stays the same when it is delivered again.
 */
export interface Lease {
  readonly task: string;
  readonly campaign: string;
  readonly unit: Unit;
  readonly sites: readonly Output[];
  /** With it whoever holds it renews and acknowledges. */
  readonly replySubject: string;
  readonly deadlines: Deadlines;
  /** Bytes of memory it needs. */
  readonly memory: number;
  /** Whether the trajectories after the window are part of the result. */
  readonly keepStates: boolean;
}

/** Milliseconds each phase may take before the lease is given up. */
export interface Deadlines {
  readonly loading: number;
  readonly encoding: number;
  readonly step: number;
  readonly decoding: number;
}

/** What a task is at. */
export type TaskPhase =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'loading' }
  | { readonly kind: 'encoding' }
  /** Counted from the trajectory's start. */
  | { readonly kind: 'step'; readonly step: number }
  /** Latents become images. */
  | { readonly kind: 'decoding' };

/** What names a task to a coordinator that did not lease it. */
export interface TaskIdentity {
  readonly task: string;
  /** Hash of the unit. */
  readonly unit: string;
  readonly sites: readonly Output[];
  readonly replySubject: string;
}

/** A task that a worker runs or waits to run. */
export interface RunningTask extends TaskIdentity {
  readonly phase: TaskPhase;
}

/** A task whose result a worker keeps until it is told to forget it. */
export interface FinishedTask extends TaskIdentity {
  readonly layers: readonly TappedLayer[];
  readonly steps: number;
  readonly items: number;
  /** The partial's values, then each trajectory after the window if the lease asked for them; or each image. */
  readonly blobs: readonly BlobSummary[];
  readonly timings: Timings;
  readonly calls: Calls;
  /** Of each step of the window; none for an encode or image unit. */
  readonly timesteps: readonly number[];
}

export interface BlobSummary {
  readonly length: number;
  /** Hex. */
  readonly sha256: string;
}

/** Milliseconds spent in each phase. */
export interface Timings {
  readonly loading: number;
  readonly encoding: number;
  readonly steps: number;
  readonly decoding: number;
}

/** Calls that were made, counted where they are made. */
export interface Calls {
  /** UNet calls times the trajectories in each. */
  readonly unetCalls: number;
  readonly unetRuns: number;
  readonly prompts: number;
}

/** What a worker can do. */
export interface Capabilities {
  readonly device: string;
  /** Bytes a unit may need. */
  readonly memory: number;
  readonly providers: readonly string[];
  readonly numerics: string;
  readonly graph: string;
  /** Ids of the checkpoints it holds. */
  readonly checkpoints: readonly string[];
  readonly version: string;
  /** Kinds of units it runs. */
  readonly units: readonly Unit['kind'][];
}

/** Registration. */
export interface WorkerHello {
  readonly protocol: number;
  readonly worker: string;
  readonly capabilities: Capabilities;
  readonly running: readonly RunningTask[];
  readonly finished: readonly FinishedTask[];
}

/** An error as it arrives from the other side: the shape of LetheError, with a code that may be of a later release. */
export interface RemoteFailure {
  readonly code: string;
  readonly what: string;
  readonly where: string;
  readonly why: string;
  readonly next: string;
  readonly layer: string | undefined;
  readonly step: number | undefined;
}
