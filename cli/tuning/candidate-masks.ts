import type { CampaignEvent } from '../../gen/fleet/v1/campaign.ts';
import { densities } from '../../shared/mask/compare-masks.ts';
import { type Mask, uniteMasks } from '../../shared/mask/mask.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { type Candidate, candidateKey } from '../../shared/tuning/candidate.ts';
import type { FleetClient } from '../fleet/fleet-client.ts';
import { followCampaign } from '../fleet/follow-campaign.ts';
import type { MaskShelf } from '../fleet/mask-shelf.ts';
import { errorOfFailure } from '../fleet/remote-error.ts';
import type { SweepProgress } from '../output/sweep-progress.ts';
import { variantCampaign } from './variant-campaign.ts';

/** A candidate's masks by their hashes: whole, those of a hundred candidates fill the memory. */
export interface MadeMasks {
  /** Id. */
  readonly checkpoint: string;
  readonly masks: readonly { readonly concept: string; readonly hash: string }[];
  /** Weights that they prune together, of those of their layers. */
  readonly pruned: number;
  readonly weights: number;
}

/**
 * The masks of candidates, made by the fleet from stored statistics: each candidate is a campaign of its own over the same
 * prompts, so only the first makes UNet calls, and one that was tried before is done already.
 */
export class CandidateMasks {
  readonly #client: FleetClient;
  readonly #shelf: MaskShelf;
  readonly #text: string;
  readonly #source: string;
  readonly #progress: SweepProgress;
  readonly #signal: AbortSignal;
  readonly #comesBack: () => Promise<boolean>;
  readonly #made = new Map<string, MadeMasks>();

  /**
   * @param text of the campaign that is tuned
   * @param source its path, for messages
   * @param comesBack whether a coordinator that does not answer can be expected again
   */
  constructor(
    client: FleetClient,
    shelf: MaskShelf,
    text: string,
    source: string,
    progress: SweepProgress,
    signal: AbortSignal,
    comesBack: () => Promise<boolean>,
  ) {
    this.#client = client;
    this.#shelf = shelf;
    this.#text = text;
    this.#source = source;
    this.#progress = progress;
    this.#signal = signal;
    this.#comesBack = comesBack;
  }

  /** @throws LetheError of a concept that could not be masked, `unit-stopped` at the signal, and as the fleet refuses. */
  async of(candidate: Candidate): Promise<MadeMasks> {
    const key = candidateKey(candidate);
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const request = { yaml: variantCampaign(this.#text, candidate), source: this.#source };
    const { campaign } = await this.#client.submit(request);
    const state = await followCampaign(this.#client, campaign, this.#progress, this.#signal, this.#comesBack);
    // Images are drawn next, with a bar of their own.
    this.#progress.stop();
    if (state === undefined) throw stopped(campaign);
    const made = await this.#sizes(candidate.masks.map(({ concept }) => ({ concept, hash: hashOf(state, concept) })));
    this.#made.set(key, made);
    return made;
  }

  /** A mask of a candidate, whole. */
  read(hash: string): Promise<Mask> {
    return this.#shelf.read(hash);
  }

  async #sizes(masks: MadeMasks['masks']): Promise<MadeMasks> {
    const united = uniteMasks(await Promise.all(masks.map(({ hash }) => this.#shelf.read(hash))));
    const layers = densities(united);
    return {
      checkpoint: united.checkpoint,
      masks,
      pruned: layers.reduce((sum, layer) => sum + layer.pruned, 0),
      weights: layers.reduce((sum, layer) => sum + layer.weights, 0),
    };
  }
}

function hashOf({ campaign, concepts, failure }: CampaignEvent, concept: string): string {
  if (failure !== undefined) throw errorOfFailure(failure);
  const state = concepts.find((each) => each.concept === concept)?.state;
  if (state?.$case === 'mask') return state.value;
  if (state?.$case === 'failure') throw errorOfFailure(state.value);
  throw new LetheError('campaign-failed', {
    what: `there is no mask of ${concept}`,
    where: campaign,
    why: 'the campaign ended without it',
    next: "look at the coordinator's log",
  });
}

/** LetheError `unit-stopped`. */
function stopped(campaign: string): LetheError {
  return new LetheError('unit-stopped', {
    what: 'tuning was stopped',
    where: campaign,
    why: 'it was asked to',
    next: 'the same command goes on from here: what was made is kept',
  });
}
