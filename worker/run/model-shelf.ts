import { checkpointId } from '../../shared/checkpoint/checkpoint-id.ts';
import { type Checkpoint, openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { StableDiffusion } from '../diffusion/stable-diffusion.ts';
import { observeUnit } from '../observe/observe-unit.ts';
import type { SessionCache } from '../session/session-cache.ts';
import type { Observe } from './run-task.ts';

/** The checkpoints a worker holds, by id: where they are is each machine's own affair. */
export class ModelShelf {
  readonly #sessions: SessionCache;
  readonly #checkpoints: ReadonlyMap<string, Checkpoint>;
  readonly #models = new Map<string, Promise<StableDiffusion>>();

  private constructor(sessions: SessionCache, checkpoints: ReadonlyMap<string, Checkpoint>) {
    this.#sessions = sessions;
    this.#checkpoints = checkpoints;
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

  /** Runs a lease's unit on the model of its checkpoint. */
  readonly observe: Observe = async ({ unit, sites }, states, counter, supervision) => {
    const model = await this.#model(unit.checkpoint);
    return observeUnit(model, this.#sessions, unit, sites, states, counter, supervision);
  };

  #model(id: string): Promise<StableDiffusion> {
    const known = this.#models.get(id);
    if (known !== undefined) return known;
    const checkpoint = this.#checkpoints.get(id);
    if (checkpoint === undefined)
      throw new LetheError('unit-refused', {
        what: 'cannot run the unit',
        where: id,
        why: 'this worker does not hold the checkpoint',
        next: 'mount the checkpoint on this machine and name its directory with --checkpoint',
      });
    const model = StableDiffusion.open(checkpoint, this.#sessions);
    this.#models.set(id, model);
    return model;
  }
}
