import type { ImageSampling, ImageSource } from '../../gen/fleet/v1/image.ts';
import { readPng } from '../../shared/verification/read-png.ts';
import type { Recognition } from '../../shared/verification/recognition.ts';
import type { Classifier } from '../../worker/classify/classifier.ts';
import type { FleetClient } from '../fleet/fleet-client.ts';
import { type ImageAsk, type ImageWatcher, requestImages } from '../fleet/request-images.ts';
import type { TestPrompt } from '../../shared/verification/test-prompts.ts';
import type { ProbeLists } from './probe-lists.ts';
import type { Seen } from './standings.ts';

/** Masks that prune together, and what they are to be seen with. */
export interface ProbedSet {
  /** Hashes; none prunes nothing. */
  readonly masks: readonly string[];
  /** Places of the lists that are drawn, the targets' first and then the rest; absent, all are. */
  readonly lists?: readonly number[];
}

/** Images of one validation set: asked of the fleet, and seen by the classifier. */
export class ProbeImages {
  readonly #client: FleetClient;
  readonly #source: ImageSource;
  readonly #sampling: ImageSampling;
  readonly #classifier: Classifier;
  readonly #watcher: ImageWatcher;
  readonly lists: ProbeLists;

  constructor(
    client: FleetClient,
    source: ImageSource,
    sampling: ImageSampling,
    classifier: Classifier,
    lists: ProbeLists,
    watcher: ImageWatcher,
  ) {
    this.#client = client;
    this.#source = source;
    this.#sampling = sampling;
    this.#classifier = classifier;
    this.#watcher = watcher;
    this.lists = lists;
  }

  /** What is seen of the first `samples` of each list that is asked for, for each set of masks. One request for all. */
  async seen(sets: readonly ProbedSet[], samples: number): Promise<readonly Seen[]> {
    const all = [...this.lists.targets.map(({ probes }) => probes), this.lists.rest];
    const probed = sets.map(({ masks, lists }) => ({
      masks,
      lists: all.map((probes, i) => (lists === undefined || lists.includes(i) ? probes.slice(0, samples) : [])),
    }));
    const asks = probed.flatMap(({ masks, lists }) => lists.flatMap((probes) => this.#asks(probes, masks)));
    const found = await this.#recognised(asks);
    let at = 0;
    return probed.map(({ lists }) => {
      const each = lists.map(({ length }) => found.slice(at, (at += length)));
      return { targets: each.slice(0, -1), rest: each.at(-1) ?? [] };
    });
  }

  /** PNG files of probes, in their order. */
  async pictures(probes: readonly TestPrompt[], masks: readonly string[]): Promise<readonly Uint8Array[]> {
    const images: Uint8Array[] = [];
    for await (const image of this.#images(this.#asks(probes, masks))) images.push(image);
    return images;
  }

  #asks(probes: readonly TestPrompt[], masks: readonly string[]): readonly ImageAsk[] {
    return probes.map(({ prompt, seed }) => ({ prompt, seed, masks, sampling: this.#sampling }));
  }

  #images(asks: readonly ImageAsk[]): AsyncGenerator<Uint8Array, void, undefined> {
    return requestImages(this.#client, this.#source, 'tune', imageBatch, asks, this.#watcher);
  }

  async #recognised(asks: readonly ImageAsk[]): Promise<readonly Recognition[]> {
    const found: Recognition[] = [];
    const waiting: Uint8Array[] = [];
    const look = async (): Promise<void> => {
      found.push(...(await this.#classifier.recognise(waiting.splice(0).map(readPng))));
    };
    for await (const image of this.#images(asks)) {
      waiting.push(image);
      if (waiting.length >= classifierBatch) await look();
    }
    await look();
    return found;
  }
}

/** Images in a unit: what a small model draws at once without waste, and few enough to share out. */
const imageBatch = 8;
/** Images that the classifier sees at once. */
const classifierBatch = 64;
