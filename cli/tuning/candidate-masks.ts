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

/** A candidate's masks. */
export interface MadeMasks {
  readonly masks: readonly { readonly concept: string; readonly hash: string; readonly mask: Mask }[];
  readonly united: Mask;
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
  readonly #made = new Map<string, MadeMasks>();

  /** @param text of the campaign that is tuned @param source its path, for messages */
  constructor(
    client: FleetClient,
    shelf: MaskShelf,
    text: string,
    source: string,
    progress: SweepProgress,
    signal: AbortSignal,
  ) {
    this.#client = client;
    this.#shelf = shelf;
    this.#text = text;
    this.#source = source;
    this.#progress = progress;
    this.#signal = signal;
  }

  /** @throws LetheError of a concept that could not be masked, `unit-stopped` at the signal, and as the fleet refuses. */
  async of(candidate: Candidate): Promise<MadeMasks> {
    const key = candidateKey(candidate);
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const request = { yaml: variantCampaign(this.#text, candidate), source: this.#source };
    const { campaign } = await this.#client.submit(request);
    const state = await followCampaign(this.#client, campaign, this.#progress, this.#signal, () =>
      Promise.resolve(true),
    );
    if (state === undefined) throw stopped(campaign);
    const masks: MadeMasks['masks'][number][] = [];
    for (const { concept } of candidate.masks) {
      const hash = hashOf(state, concept);
      masks.push({ concept, hash, mask: await this.#shelf.read(hash) });
    }
    const united = uniteMasks(masks.map(({ mask }) => mask));
    const layers = densities(united);
    const made: MadeMasks = {
      masks,
      united,
      pruned: layers.reduce((sum, layer) => sum + layer.pruned, 0),
      weights: layers.reduce((sum, layer) => sum + layer.weights, 0),
    };
    this.#made.set(key, made);
    return made;
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
