import { randomBytes } from 'node:crypto';
import { Blobs } from '../../shared/bus/blobs.ts';
import { Broadcast } from '../../shared/bus/broadcast.ts';
import type { Bus } from '../../shared/bus/bus.ts';
import { Documents } from '../../shared/bus/documents.ts';
import { buckets } from '../../shared/bus/names.ts';
import type { FleetKey } from '../../shared/manifest/fleet-key.ts';
import type { Manifest } from '../../shared/manifest/manifest.ts';
import { sealBlob } from '../../shared/manifest/seal-blob.ts';
import { signManifest } from '../../shared/manifest/sign-manifest.ts';
import type { SigningKey } from '../../shared/manifest/signing-key.ts';
import { maskBlob } from '../../shared/mask/mask-blob.ts';
import { encodeMask, maskName } from '../../shared/mask/mask-file.ts';
import { compressMask } from '../../shared/mask/mask-storage.ts';
import type { Mask } from '../../shared/mask/mask.ts';

/** A manifest whose union is this mask. */
export function manifestOf(checkpoint: string, version: number, mask: Mask | undefined): Manifest {
  const common = { format: 'lethe-manifest-1', checkpoint, version, audit: 'a'.repeat(64) } as const;
  if (mask === undefined) return { ...common, masks: [] };
  const union = maskName(encodeMask(mask));
  const concepts = mask.parts.map(({ concept }) => concept).sort();
  return { ...common, masks: concepts.map((concept) => ({ concept, mask: union })), union };
}

/** Somebody who can write to NATS: a coordinator, or whoever took its place. */
export class Publisher {
  readonly #bus: Bus;
  readonly #manifests: Documents;

  constructor(bus: Bus) {
    this.#bus = bus;
    this.#manifests = new Documents(bus, buckets.manifests);
  }

  /** Stores a mask as coordinators do, and signs and publishes the manifest that makes it active alone. */
  async publish(
    checkpoint: string,
    version: number,
    mask: Mask | undefined,
    key: SigningKey,
    fleetKey?: FleetKey,
  ): Promise<Uint8Array> {
    if (mask !== undefined) await this.store(mask, fleetKey);
    const bytes = signManifest(manifestOf(checkpoint, version, mask), key);
    await this.put(checkpoint, bytes);
    return bytes;
  }

  /** @returns the name of its blob */
  async store(mask: Mask, fleetKey?: FleetKey): Promise<string> {
    const bytes = encodeMask(mask);
    const name = maskBlob(maskName(bytes));
    const packed = await compressMask(bytes);
    await new Blobs(this.#bus).put(name, fleetKey === undefined ? packed : sealBlob(packed, fleetKey, name));
    return name;
  }

  /** Puts any bytes where the manifest of a checkpoint stands. */
  async put(checkpoint: string, bytes: Uint8Array): Promise<void> {
    const found = await this.#manifests.read(checkpoint);
    if (found === undefined) await this.#manifests.create(checkpoint, bytes);
    else await this.#manifests.update(checkpoint, bytes, found.sequence);
    await new Broadcast(this.#bus).say('manifest');
  }
}

/** A fleet key that is in no file. */
export function newFleetKey(): FleetKey {
  return { secrets: [{ id: randomBytes(16).toString('hex'), secret: randomBytes(32) }] };
}
