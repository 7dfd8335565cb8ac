import { decodeMask, encodeMask, maskName } from '../../shared/mask/mask-file.ts';
import { compressMask, decompressMask } from '../../shared/mask/mask-storage.ts';
import { type Mask, uniteMasks } from '../../shared/mask/mask.ts';
import type { ActiveMask } from '../../shared/manifest/manifest.ts';
import type { MaskBlobs } from '../store/mask-blobs.ts';
import { maskBlob, storedMask } from './publish-mask.ts';

/**
 * Stores the union of masks, each sealed where the fleet has a key. A stored union that is not whole is stored anew.
 *
 * @param dryRun read and unite, and store nothing
 * @returns its hash; undefined where there is nothing to unite
 * @throws LetheError `blob-missing`, `mask-invalid`, `blob-sealed`, `mask-mismatch`
 */
export async function uniteActive(
  blobs: MaskBlobs,
  checkpoint: string,
  masks: readonly ActiveMask[],
  dryRun = false,
): Promise<string | undefined> {
  if (masks.length === 0) return undefined;
  const read = await Promise.all(
    masks.map(async ({ mask }): Promise<Mask> =>
      decodeMask(
        await decompressMask(await (dryRun ? blobs.get(maskBlob(mask)) : blobs.getSealed(maskBlob(mask))), mask),
      ),
    ),
  );
  // Nothing pruned, of the checkpoint that is meant: masks of another one are refused.
  const none: Mask = { checkpoint, parts: [], timesteps: [], layers: [] };
  const bytes = encodeMask(uniteMasks([none, ...read]));
  const union = maskName(bytes);
  // Serving processes fetch it by this name: what is damaged there, or sealed with a key that is gone, would stay so.
  if (!dryRun && (await storedMask(blobs, union)) !== 'whole')
    await blobs.put(maskBlob(union), await compressMask(bytes));
  return union;
}
