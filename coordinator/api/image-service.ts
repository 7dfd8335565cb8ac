import type { CampaignSampling } from '../plan/campaign.ts';
import type { TrajectoryKey } from '../../shared/unit/unit.ts';

/** Images that are sampled and pruned alike, as they are asked for. */
export interface AskedGroup {
  readonly sampling: CampaignSampling;
  /** Hashes of masks that prune together. */
  readonly masks: readonly string[];
  readonly trajectories: readonly TrajectoryKey[];
}

/** Where images come from. */
export interface ImageSource {
  /** Id of the checkpoint. */
  readonly checkpoint: string;
  /** Its directory as a campaign names it; undefined: looked for among those that are known. */
  readonly directory: string | undefined;
  readonly variant: string | undefined;
  readonly numerics: string | undefined;
}

/** What will make the images that were asked for. */
export interface ImageAnswer {
  /** To be waited for; none if all are stored. */
  readonly jobs: readonly string[];
  readonly numerics: string;
  readonly images: number;
  readonly stored: number;
  readonly unetCalls: number;
}

/** What a coordinator does with images: the domain side of proto/fleet/v1/image.proto. */
export interface ImageService {
  /**
   * @param title of the job, for people
   * @param batch images in a unit, at most
   * @throws LetheError `worker-missing` if no worker holds the checkpoint; `checkpoint-layout` if this coordinator does not;
   *   `mask-missing`, `mask-invalid`, `mask-mismatch`; `campaign-invalid` for sampling settings.
   */
  request(source: ImageSource, title: string, batch: number, groups: readonly AskedGroup[]): Promise<ImageAnswer>;
  /** PNG files in the order of the groups. @throws LetheError `image-missing` for one that is not there. */
  read(source: ImageSource, groups: readonly AskedGroup[]): AsyncIterable<Uint8Array>;
}
