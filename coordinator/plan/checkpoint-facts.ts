import type { SiteLayer, SiteName } from '../../shared/model/site.ts';
import type { SamplingSpec } from '../../shared/unit/unit.ts';

/** A layer of a site and how much one trajectory adds to its statistics. */
export interface PlannedLayer extends SiteLayer {
  /**
   * Rows of its input per trajectory and step, all guidance rows counted: tokens × guidance rows. A cohort of n
   * trajectories has R = n · rows, which its grid comes from.
   */
  readonly rows: number;
}

/** A site of a checkpoint, as it is tapped under some sampling settings. */
export interface SiteFacts {
  readonly site: SiteName;
  /** What its units run: UNet calls, or the text encoder alone. */
  readonly runs: 'denoise' | 'encode';
  /** Ordered by name (code points). */
  readonly layers: readonly PlannedLayer[];
}

/** What of running a model can be told from its graph. */
export interface ModelCost {
  /** Floating-point operations of one trajectory's call (all guidance rows), or of one prompt's pass. */
  readonly flops: number;
  /** Of all weights, in fp32. */
  readonly weightBytes: number;
  /** Estimate of what one trajectory or prompt adds at the peak. */
  readonly activationBytes: number;
}

/** All that the plan needs to know of a checkpoint, under a campaign's sampling settings. */
export interface CheckpointFacts {
  /** `sha256:` and 64 hex digits. */
  readonly checkpoint: string;
  readonly sampling: SamplingSpec;
  /** UNet calls of a whole trajectory: 51 for 50 PNDM steps. */
  readonly calls: number;
  /** In the order of shared/model/site.ts. */
  readonly sites: readonly SiteFacts[];
  readonly unet: ModelCost;
  readonly textEncoder: ModelCost;
}
