import type { Blobs } from '../../shared/bus/blobs.ts';
import type { FleetKey } from '../../shared/manifest/fleet-key.ts';
import { isSealedWith, openBlob, sealBlob } from '../../shared/manifest/seal-blob.ts';

/**
 * The blobs that are masks: sealed as they are stored, where the fleet has a key, and opened as they are read. Their names
 * are those of the masks' canonical bytes, sealed or not.
 */
export class MaskBlobs {
  readonly #blobs: Blobs;
  readonly #fleetKey: FleetKey | undefined;

  constructor(blobs: Blobs, fleetKey: FleetKey | undefined) {
    this.#blobs = blobs;
    this.#fleetKey = fleetKey;
  }

  /** Whether what is put is sealed. */
  get seals(): boolean {
    return this.#fleetKey !== undefined;
  }

  async has(name: string): Promise<boolean> {
    return (await this.#blobs.find(name)) !== undefined;
  }

  /** What was put under a name, opened. @throws LetheError `blob-missing`, `blob-damaged`, `blob-sealed` */
  async get(name: string): Promise<Uint8Array> {
    return openBlob(await this.#blobs.get(name), this.#fleetKey, name);
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    await this.#blobs.put(name, this.#fleetKey === undefined ? bytes : sealBlob(bytes, this.#fleetKey, name));
  }

  /**
   * The same as `get`. What was stored before there was a fleet key, or under an earlier one, is sealed anew: a mask that
   * becomes active is sealed from then on.
   */
  async getSealed(name: string): Promise<Uint8Array> {
    const stored = await this.#blobs.get(name);
    const bytes = openBlob(stored, this.#fleetKey, name);
    if (this.#fleetKey !== undefined && !isSealedWith(stored, this.#fleetKey)) await this.put(name, bytes);
    return bytes;
  }
}
