import { checkpointId } from '../../shared/checkpoint/checkpoint-id.ts';
import { type Checkpoint, openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { partialToBytes } from '../../shared/fleet/partial-bytes.ts';
import { StableDiffusion } from '../diffusion/stable-diffusion.ts';
import { drawUnit } from '../draw/draw-unit.ts';
import { PrunedModels } from '../draw/pruned-models.ts';
import { observeUnit } from '../observe/observe-unit.ts';
import type { SessionCache } from '../session/session-cache.ts';
import type { RunUnit } from './run-task.ts';

/** The checkpoints a worker holds, by id: where they are is each machine's own affair. */
export class ModelShelf {
  readonly #sessions: SessionCache;
  readonly #checkpoints: ReadonlyMap<string, Checkpoint>;
  readonly #models = new Map<string, Promise<StableDiffusion>>();
  readonly #pruned: PrunedModels;

  private constructor(sessions: SessionCache, checkpoints: ReadonlyMap<string, Checkpoint>) {
    this.#sessions = sessions;
    this.#checkpoints = checkpoints;
    this.#pruned = new PrunedModels(sessions);
  }

  /** Opens and hashes the checkpoint in each directory. @throws LetheError for one that is none. */
  static async open(directories: readonly string[], sessions: SessionCache): Promise<ModelShelf> {
    const checkpoints = new Map<string, Checkpoint>();
    // One after another: hashing reads whole files, and they are on one disk.
    for (const directory of directories) {
      const checkpoint = await openCheckpoint(directory);
      checkpoints.set(await checkpointId(checkpoint), checkpoint);
    }
    return new ModelShelf(sessions, checkpoints);
  }

  /** Ids, sorted. */
  get ids(): readonly string[] {
    return [...this.#checkpoints.keys()].sort();
  }

  /** Runs a lease's unit on the model of its checkpoint, pruned by the mask that came with the lease if it names one. */
  readonly runUnit: RunUnit = async ({ unit, sites, keepStates }, attached, counter, supervision) => {
    const id = unit.checkpoint;
    if (unit.kind === 'image') {
      const [stored] = attached ?? [];
      const checkpoint = this.#checkpoint(id);
      const model = unit.mask === undefined ? this.#model(id) : this.#pruned.get(checkpoint, id, unit.mask, stored);
      const blobs = await drawUnit(await model, unit, counter, supervision);
      return { layers: [], steps: 0, items: blobs.length, timesteps: [], blobs };
    }
    const model = await this.#model(id);
    const wanted = sites.filter((site) => site !== 'image');
    const observed = await observeUnit(model, this.#sessions, unit, wanted, attached, counter, supervision);
    const { partial, states, timesteps } = observed;
    const { layers, steps, items } = partial;
    return { layers, steps, items, timesteps, blobs: [partialToBytes(partial), ...(keepStates ? states : [])] };
  };

  #model(id: string): Promise<StableDiffusion> {
    const known = this.#models.get(id);
    if (known !== undefined) return known;
    const model = StableDiffusion.open(this.#checkpoint(id), this.#sessions);
    this.#models.set(id, model);
    return model;
  }

  #checkpoint(id: string): Checkpoint {
    const checkpoint = this.#checkpoints.get(id);
    if (checkpoint !== undefined) return checkpoint;
    throw new LetheError('unit-refused', {
      what: 'cannot run the unit',
      where: id,
      why: 'this worker does not hold the checkpoint',
      next: 'mount the checkpoint on this machine and name its directory with --checkpoint',
    });
  }
}
