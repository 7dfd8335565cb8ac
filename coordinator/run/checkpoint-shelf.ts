import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkpointId } from '../../shared/checkpoint/checkpoint-id.ts';
import { type Checkpoint, openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';

/** emoji-sd, which comes with Lethe: beside dist/ in a checkout and in the package. */
const emojiSd = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'checkpoint', 'emoji-sd');

/** A checkpoint of this machine. */
export interface Shelved {
  readonly id: string;
  readonly checkpoint: Checkpoint;
}

/** The checkpoints of this machine: opened and hashed once, found by path or by id. */
export class CheckpointShelf {
  readonly #opened = new Map<string, Promise<Shelved>>();
  readonly #directories: readonly string[];

  /** @param directories that are looked through for an id, besides those that campaigns have named. */
  constructor(directories: readonly string[]) {
    this.#directories = [emojiSd, ...directories];
  }

  /**
   * Opens and hashes what it was told of, so that no campaign waits for that. What cannot be opened is told to whoever asks
   * for it.
   */
  start(): void {
    for (const directory of this.#directories) void this.open(directory).catch(() => undefined);
  }

  /** @param directory emoji-sd if undefined. @throws as `openCheckpoint` */
  async open(directory = emojiSd, variant?: string): Promise<Shelved> {
    const key = JSON.stringify([directory, variant]);
    const known = this.#opened.get(key);
    if (known !== undefined) return known;
    const opening = openCheckpoint(directory, variant).then(async (checkpoint) => ({
      id: await checkpointId(checkpoint),
      checkpoint,
    }));
    this.#opened.set(key, opening);
    // It may be there the next time.
    opening.catch(() => this.#opened.delete(key));
    return opening;
  }

  /** The checkpoint with this id, at the path where it was first seen or at any other known one. */
  async find(id: string, directory: string | undefined, variant: string | undefined): Promise<Shelved | undefined> {
    for (const each of [directory ?? emojiSd, ...this.#directories]) {
      const shelved = await this.open(each, variant).catch(() => undefined);
      if (shelved?.id === id) return shelved;
    }
    return undefined;
  }
}
