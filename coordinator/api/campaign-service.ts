import type { RemoteFailure } from '../../shared/fleet/task.ts';
import type { LetheError } from '../../shared/error/lethe-error.ts';

/** What the coordinator does for people and scripts: the domain side of proto/fleet/v1/campaign.proto. */
export interface CampaignService {
  /**
   * @param trial whether its masks are to be tried, and not to be found by their concepts
   * @throws LetheError for a campaign that cannot be run: every problem at once.
   */
  submit(
    yaml: string,
    source: string,
    trial?: boolean,
  ): Promise<{ readonly campaign: string; readonly plan: PlanSummary }>;
  plan(yaml: string, source: string): Promise<PlanSummary>;
  /** The state now, then every change until the campaign is over or `signal` aborts. */
  watch(campaign: string, signal: AbortSignal): AsyncIterable<CampaignState>;
  cancel(campaign: string, reason: string): Promise<void>;
  status(): Promise<readonly CampaignState[]>;
  workers(): Promise<readonly WorkerStatus[]>;
}

/** A plan in numbers. */
export interface PlanSummary {
  readonly units: number;
  readonly done: number;
  /** UNet calls times trajectories that remain. */
  readonly unetCalls: number;
  /** Of all its units. */
  readonly totalUnetCalls: number;
  /** What the procedure of the paper takes, one concept at a time. */
  readonly referenceUnetCalls: number;
  readonly workerSeconds: number | undefined;
  readonly numerics: string;
  readonly leftOut: readonly { readonly worker: string; readonly reason: string }[];
  readonly warnings: readonly string[];
}

/** A campaign at a moment, whole. */
export interface CampaignState {
  readonly campaign: string;
  /** Whether its masks are to be tried, and not to be found by their concepts. */
  readonly trial: boolean;
  /** Whether it makes images, and no masks. */
  readonly images: boolean;
  /** Milliseconds since 1970. */
  readonly submittedAt: number;
  /** When its entry was last changed; of one that has ended: when it did. Milliseconds since 1970. */
  readonly changedAt: number;
  readonly units: {
    readonly waiting: number;
    readonly leased: number;
    readonly done: number;
    readonly failed: number;
  };
  readonly workers: readonly {
    readonly worker: string;
    readonly unetCallsPerSecond: number;
    readonly units: number;
  }[];
  readonly concepts: readonly ConceptState[];
  readonly remainingSeconds: number | undefined;
  readonly ended: boolean;
  readonly failure: LetheError | undefined;
  /** What it waits for; undefined while something of it runs or is about to. */
  readonly waiting: LetheError | undefined;
  /** Workers that cannot run what is left, while it waits for one that can. */
  readonly leftOut: readonly { readonly worker: string; readonly reason: string }[];
}

export type ConceptState =
  | { readonly kind: 'remaining'; readonly concept: string; readonly units: number }
  | { readonly kind: 'mask'; readonly concept: string; readonly hash: string }
  | { readonly kind: 'failed'; readonly concept: string; readonly failure: LetheError | RemoteFailure };

export interface WorkerStatus {
  readonly worker: string;
  readonly device: string;
  readonly numerics: string;
  readonly memory: number;
  readonly checkpoints: readonly string[];
  readonly running: number;
  readonly unetCallsPerSecond: number;
  readonly draining: boolean;
  /** Why it is given no work; empty if it is. */
  readonly suspended: string;
  readonly coordinator: string;
  readonly version: string;
}
