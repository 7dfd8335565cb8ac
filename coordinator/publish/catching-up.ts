import { recordHash } from '../../shared/manifest/change-record.ts';
import { catchUp, type Publication } from './publish-record.ts';

/** `catchUp` again and again: a log is checked anew only when it, the manifest or the trust list has changed. */
export class CatchingUp {
  readonly #publication: Publication;
  /** By checkpoint: what there was when nothing was left to do. */
  readonly #done = new Map<string, string>();

  constructor(publication: Publication) {
    this.#publication = publication;
  }

  async run(checkpoint: string): Promise<void> {
    // Before, so that what changes meanwhile is looked at the next time. What it publishes itself is looked at once more.
    const found = await this.#found(checkpoint);
    if (this.#done.get(checkpoint) === found) return;
    await catchUp(this.#publication, checkpoint);
    this.#done.set(checkpoint, found);
  }

  async #found(checkpoint: string): Promise<string> {
    const { store, keyring } = this.#publication;
    const manifest = await store.manifests.read(checkpoint);
    const record = await store.audit.head(checkpoint);
    // Hashes too: a NATS that was put back from a backup counts from where it was.
    return JSON.stringify([
      manifest && [manifest.sequence, recordHash(manifest.bytes)],
      record && [record.sequence, recordHash(record.bytes)],
      await keyring.trust(),
    ]);
  }
}
