import { createHash } from 'node:crypto';
import { records } from '../../shared/bus/names.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { canonicalJson } from '../../shared/unit/canonical-json.ts';
import { graphVersion, imageKey } from '../../shared/unit/unit.ts';
import type { AskedGroup, ImageAnswer, ImageService, ImageSource } from '../api/image-service.ts';
import { classWithMostCapacity } from '../dispatch/numerics-class.ts';
import type { WorkerBook } from '../dispatch/worker-book.ts';
import { type ImageFacts, imageFacts } from '../plan/image-facts.ts';
import { commonOf, type ImageGroup, imageUnits } from '../plan/image-units.ts';
import type { UnitPlan } from '../plan/plan.ts';
import { unetCallsOf } from '../plan/unet-calls.ts';
import type { MaskSets } from '../publish/mask-set.ts';
import type { CampaignEntry } from '../store/campaign-entry.ts';
import { imageJobBytes, imageJobId } from '../store/image-job.ts';
import type { RecordBook } from '../store/record-book.ts';
import type { Store } from '../store/store.ts';
import { encodeStored } from '../store/stored-json.ts';
import type { ImagesVerdict } from '../store/verdict.ts';
import type { Campaigns } from './campaigns.ts';
import type { CheckpointShelf } from './checkpoint-shelf.ts';
import { ImageIndex } from './image-index.ts';

/** Units whose images are held while a request is answered. */
const mostRecent = 16;

/** What people and scripts ask of a coordinator about images. */
export class ImageDesk implements ImageService {
  readonly #store: Store;
  readonly #book: RecordBook;
  readonly #campaigns: Campaigns;
  readonly #workers: WorkerBook;
  readonly #shelf: CheckpointShelf;
  readonly #masks: MaskSets;
  readonly #index: ImageIndex;
  readonly #facts = new Map<string, Promise<ImageFacts>>();

  constructor(
    store: Store,
    book: RecordBook,
    campaigns: Campaigns,
    workers: WorkerBook,
    shelf: CheckpointShelf,
    masks: MaskSets,
  ) {
    this.#store = store;
    this.#book = book;
    this.#campaigns = campaigns;
    this.#workers = workers;
    this.#shelf = shelf;
    this.#masks = masks;
    this.#index = new ImageIndex(book);
  }

  async request(source: ImageSource, title: string, batch: number, asked: readonly AskedGroup[]): Promise<ImageAnswer> {
    // What could not be read may have been removed since, as its error advises.
    await this.#book.lookAgain();
    const { checkpoint } = source;
    const numerics = source.numerics ?? this.#capacity(checkpoint);
    const origin = { checkpoint, numerics, graph: graphVersion };
    const groups = await this.#groups(source, asked);
    await this.#refresh();
    const keys = new Set(keysOf(groups, origin));
    const stored = [...keys].filter((key) => this.#index.stored(key) !== undefined).length;
    const jobs = new Set<string>();
    const units = imageUnits(groups, origin, batch, (key) => {
      if (this.#index.stored(key) !== undefined) return true;
      const active = this.#index.jobsOf(key).find((job) => this.#campaigns.get(job)?.entry.state.kind === 'active');
      if (active !== undefined) jobs.add(active);
      return active !== undefined;
    });
    if (units.length > 0) jobs.add(await this.#submit(title, { ...origin, units }));
    const unetCalls = units.reduce((sum, unit) => sum + unetCallsOf(unit), 0);
    return { jobs: [...jobs].sort(), numerics, images: keys.size, stored, unetCalls };
  }

  async *read(source: ImageSource, asked: readonly AskedGroup[]): AsyncGenerator<Uint8Array, void> {
    const { checkpoint } = source;
    const origin = { checkpoint, numerics: source.numerics ?? this.#capacity(checkpoint), graph: graphVersion };
    const groups = await this.#groups(source, asked);
    await this.#refresh();
    // Before and after of a prompt are asked for in turn, each from the unit of its own mask.
    const recent = new Map<string, readonly Uint8Array[]>();
    for (const key of keysOf(groups, origin)) {
      const found = this.#index.stored(key);
      if (found === undefined) throw missing('it is not made yet, or its unit has failed');
      const { verdict, item, items } = found;
      const images = recent.get(verdict.unit) ?? (await this.#imagesOf(verdict, items));
      recent.delete(verdict.unit);
      recent.set(verdict.unit, images);
      for (const unit of [...recent.keys()].slice(0, -mostRecent)) recent.delete(unit);
      const image = images[item];
      if (image === undefined) throw missing(`unit ${verdict.unit} has no image ${item}`);
      yield image;
    }
  }

  /** @param items trajectories of the unit: with another number of images nobody knows which is whose */
  async #imagesOf(
    { unit, worker, images: { blob, lengths } }: ImagesVerdict,
    items: number,
  ): Promise<readonly Uint8Array[]> {
    if (lengths.length !== items) {
      await this.#repair(unit, blob.name);
      throw missing(`worker ${worker} gave ${lengths.length} images for ${items} prompts; they will be made again`);
    }
    try {
      const bytes = await this.#store.blobs.get(blob.name, blob.digest);
      let at = 0;
      return lengths.map((length) => bytes.subarray(at, (at += length)));
    } catch (error) {
      if (!(error instanceof LetheError && ['blob-missing', 'blob-damaged'].includes(error.code))) throw error;
      await this.#repair(unit, blob.name);
      throw missing(`what was stored of it is gone or damaged (${error.why}); it will be made again`);
    }
  }

  /** The record loses its blob: whoever asks for the images again has them made again. */
  async #repair(unit: string, damaged: string): Promise<void> {
    const found = this.#book.verdict(unit, 'image');
    if (found?.verdict.kind !== 'images' || found.verdict.images.blob.name !== damaged) return;
    const bytes = encodeStored({ kind: 'repair', unit, site: 'image', damaged });
    await this.#store.records.replace(records.verdict(unit, 'image'), bytes, found.sequence);
  }

  async #submit(title: string, plan: UnitPlan): Promise<string> {
    const bytes = imageJobBytes(plan);
    const id = imageJobId(title, bytes);
    const name = `campaign/${createHash('sha256').update(bytes).digest('hex')}`;
    const text = (await this.#store.blobs.find(name)) ?? (await this.#store.blobs.put(name, bytes));
    const { checkpoint, numerics } = plan;
    const wanted: CampaignEntry = {
      id,
      trial: false,
      kind: 'images',
      text,
      source: title,
      submittedAt: Date.now(),
      checkpoint,
      numerics,
      state: { kind: 'active' },
    };
    const entry = encodeStored(wanted);
    const created = await this.#store.campaigns.create(id, entry);
    if (created.kind === 'stored') this.#campaigns.take({ key: id, sequence: created.sequence, bytes: entry });
    // It was cancelled, some of it failed, or gc has taken its images.
    else
      await this.#campaigns.change(id, (each) =>
        each.state.kind === 'active' ? each : { ...each, state: { kind: 'active' } },
      );
    return id;
  }

  async #refresh(): Promise<void> {
    await this.#campaigns.read();
    for (const { entry, plannable } of this.#campaigns.all)
      if (plannable?.kind === 'images') this.#index.add(entry.id, plannable.plan());
  }

  async #groups(source: ImageSource, asked: readonly AskedGroup[]): Promise<readonly ImageGroup[]> {
    const groups: ImageGroup[] = [];
    for (const { sampling, masks, trajectories } of asked) {
      const facts = await this.#factsOf(source, sampling);
      const mask = await this.#masks.hashOf(source.checkpoint, masks);
      groups.push({ facts, trajectories, ...(mask === undefined ? {} : { mask }) });
    }
    return groups;
  }

  #factsOf({ checkpoint, directory, variant }: ImageSource, sampling: AskedGroup['sampling']): Promise<ImageFacts> {
    const key = canonicalJson({ checkpoint, directory, variant, sampling });
    const known = this.#facts.get(key);
    if (known !== undefined) return known;
    const reading = this.#shelf.find(checkpoint, directory, variant).then((found) => {
      if (found !== undefined) return imageFacts(found.checkpoint, checkpoint, sampling);
      throw new LetheError('checkpoint-layout', {
        what: 'cannot plan the images',
        where: checkpoint,
        why: 'no directory that this coordinator knows has this checkpoint',
        next: 'name its directory in the campaign, or to the coordinator with --checkpoint',
      });
    });
    this.#facts.set(key, reading);
    // It may be there the next time.
    reading.catch(() => this.#facts.delete(key));
    return reading;
  }

  /** @throws LetheError `worker-missing` */
  #capacity(checkpoint: string): string {
    const able = this.#workers.all
      .filter(({ closed }) => !closed)
      .map(({ capabilities }) => capabilities)
      .filter(({ units }) => units.includes('image'));
    const numerics = classWithMostCapacity(able, checkpoint);
    if (numerics !== undefined) return numerics;
    throw new LetheError('worker-missing', {
      what: 'cannot have the images made',
      where: checkpoint,
      why: 'no worker that makes images, holds this checkpoint and takes work is connected to this coordinator',
      next: 'start one with the checkpoint, or ask again when it is there; `lethe workers` lists those there are',
    });
  }
}

function keysOf(groups: readonly ImageGroup[], origin: Parameters<typeof commonOf>[1]): readonly string[] {
  return groups.flatMap((group) => {
    const common = commonOf(group, origin);
    return group.trajectories.map((trajectory) => imageKey(common, trajectory));
  });
}

function missing(why: string): LetheError {
  return new LetheError('image-missing', {
    what: 'cannot read an image',
    why,
    next: 'ask for the images again: those that are stored are not made again',
  });
}
