import type { Document } from '../../shared/bus/documents.ts';
import { canonicalJson } from '../../shared/unit/canonical-json.ts';
import { decodeMask } from '../../shared/mask/mask-file.ts';
import { decompressMask } from '../../shared/mask/mask-storage.ts';
import { type Mask, uniteMasks } from '../../shared/mask/mask.ts';
import type { Store } from '../store/store.ts';
import { decodeStored, encodeStored } from '../store/stored-json.ts';
import { type ActiveMask, changedMasks, type Manifest, type ManifestChange, manifestSchema } from './manifest.ts';
import { maskBlob, publishMask } from './publish-mask.ts';

type PublishStore = Pick<Store, 'manifests' | 'blobs' | 'broadcast'>;

/** The manifest of a checkpoint; undefined before the first. @throws LetheError `record-invalid` */
export async function readManifest({ manifests }: PublishStore, checkpoint: string): Promise<Manifest | undefined> {
  const document = await manifests.read(checkpoint);
  return document && manifestOf(document);
}

/**
 * Makes a change of the active masks, on top of whatever is active by then, and tells workers to look. A change that
 * changes nothing makes no version.
 *
 * @throws LetheError `blob-missing`, `mask-invalid` for a mask that is not there whole, `mask-mismatch` for one of another
 *   checkpoint: nothing is changed then.
 */
export async function publishManifest(
  store: PublishStore,
  checkpoint: string,
  change: ManifestChange,
): Promise<Manifest> {
  let found = await store.manifests.read(checkpoint);
  for (;;) {
    const before = found && manifestOf(found);
    const masks = changedMasks(before?.masks ?? [], change);
    if (before !== undefined && canonicalJson(masks) === canonicalJson(before.masks)) return before;
    const union = await unionOf(store, checkpoint, masks);
    const manifest: Manifest = {
      format: 'lethe-manifest-1',
      checkpoint,
      version: (before?.version ?? 0) + 1,
      masks: [...masks],
      ...(union === undefined ? {} : { union }),
    };
    const bytes = encodeStored(manifest);
    const outcome = await (found === undefined
      ? store.manifests.create(checkpoint, bytes)
      : store.manifests.update(checkpoint, bytes, found.sequence));
    if (outcome.kind === 'stored') {
      await store.broadcast.say('manifest');
      return manifest;
    }
    found = outcome.found;
  }
}

/** @returns the hash of the union, which is stored. */
async function unionOf(
  store: PublishStore,
  checkpoint: string,
  masks: readonly ActiveMask[],
): Promise<string | undefined> {
  if (masks.length === 0) return undefined;
  const read = await Promise.all(
    masks.map(async ({ mask }): Promise<Mask> =>
      decodeMask(await decompressMask(await store.blobs.get(maskBlob(mask)), mask)),
    ),
  );
  // Nothing pruned, of the checkpoint that is meant: masks of another one are refused.
  const none: Mask = { checkpoint, parts: [], timesteps: [], layers: [] };
  return publishMask(store.blobs, uniteMasks([none, ...read]));
}

function manifestOf({ bytes, key }: Document): Manifest {
  return decodeStored(manifestSchema, bytes, `manifest of ${key}`);
}
