import { densities } from '../../shared/mask/compare-masks.ts';
import { type Mask, uniteMasks } from '../../shared/mask/mask.ts';
import { type Candidate, candidateKey, type MaskLayer } from '../../shared/tuning/candidate.ts';
import type { ImageSession } from '../fleet/image-session.ts';
import { MaskShelf } from '../fleet/mask-shelf.ts';
import { type SweptMask, sweptMasks } from '../fleet/swept-masks.ts';
import { variantCampaign } from './variant-campaign.ts';

/** A candidate's masks by their hashes: whole, those of a hundred candidates fill the memory. */
export interface MadeMasks {
  /** Id. */
  readonly checkpoint: string;
  readonly masks: readonly SweptMask[];
  /** Weights that they prune together, of those of their layers. */
  readonly pruned: number;
  readonly weights: number;
  /** Where each of them prunes a weight. */
  readonly layers: readonly MaskLayer[];
}

/**
 * The masks of candidates, made by the fleet from stored statistics: each candidate is a campaign of its own over the same
 * prompts, so only the first makes UNet calls, and one that was tried before is done already.
 */
export class CandidateMasks {
  readonly #session: ImageSession;
  readonly #shelf: MaskShelf;
  readonly #text: string;
  readonly #source: string;
  readonly #made = new Map<string, MadeMasks>();

  /**
   * @param folder of their files
   * @param text of the campaign that is tuned
   * @param source its path, for messages
   */
  constructor(session: ImageSession, folder: string, text: string, source: string) {
    this.#session = session;
    this.#shelf = new MaskShelf(folder, session.client);
    this.#text = text;
    this.#source = source;
  }

  /** @throws LetheError as `sweptMasks` does. */
  async of(candidate: Candidate): Promise<MadeMasks> {
    const key = candidateKey(candidate);
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const yaml = variantCampaign(this.#text, candidate);
    const made = await this.#sizes(await sweptMasks(this.#session, { yaml, source: this.#source, trial: true }));
    this.#made.set(key, made);
    return made;
  }

  /** A mask of a candidate, whole. */
  read(hash: string): Promise<Mask> {
    return this.#shelf.read(hash);
  }

  async #sizes(masks: readonly SweptMask[]): Promise<MadeMasks> {
    const read = await Promise.all(
      masks.map(async ({ concept, hash }) => ({ concept, mask: await this.#shelf.read(hash) })),
    );
    const united = uniteMasks(read.map(({ mask }) => mask));
    const layers = densities(united);
    return {
      checkpoint: united.checkpoint,
      masks,
      pruned: layers.reduce((sum, layer) => sum + layer.pruned, 0),
      weights: layers.reduce((sum, layer) => sum + layer.weights, 0),
      layers: read.flatMap(({ concept, mask }) =>
        densities(mask).flatMap(({ site, name, pruned }) => (pruned === 0 ? [] : [{ concept, site, name }])),
      ),
    };
  }
}
