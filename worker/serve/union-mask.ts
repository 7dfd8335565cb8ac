import { LetheError } from '../../shared/error/lethe-error.ts';
import type { FleetKey } from '../../shared/manifest/fleet-key.ts';
import type { RefusalReason } from '../../shared/manifest/judge-manifest.ts';
import { openBlob } from '../../shared/manifest/seal-blob.ts';
import { maskBlob } from '../../shared/mask/mask-blob.ts';
import { decodeMask } from '../../shared/mask/mask-file.ts';
import { maskMismatch } from '../../shared/mask/mask-mismatch.ts';
import { decompressMask } from '../../shared/mask/mask-storage.ts';
import type { Mask } from '../../shared/mask/mask.ts';

/**
 * The mask that a manifest names, from the bytes that stand under its name. They may come from anywhere.
 *
 * @param limit bytes that a mask of the checkpoint can have at most
 * @throws LetheError `blob-sealed`, `mask-invalid`, `safetensors-invalid`, or `mask-mismatch` for another checkpoint's.
 */
export async function readUnion(
  stored: Uint8Array,
  hash: string,
  fleetKey: FleetKey | undefined,
  checkpoint: string,
  limit: number,
): Promise<Mask> {
  const mask = decodeMask(await decompressMask(openBlob(stored, fleetKey, maskBlob(hash)), hash, limit));
  if (mask.checkpoint !== checkpoint)
    throw maskMismatch('checkpoint', `the mask is of ${mask.checkpoint}, and ${checkpoint} is served`);
  return mask;
}

/** Why a mask that could not be fetched, read or prepared is refused. */
export function maskFault(error: unknown): RefusalReason | 'cannot-prepare' | 'away' {
  if (!(error instanceof LetheError)) return 'cannot-prepare';
  switch (error.code) {
    case 'blob-missing':
      return 'mask-missing';
    case 'blob-damaged':
    case 'blob-sealed':
    case 'blob-too-large':
    case 'mask-invalid':
    case 'safetensors-invalid':
      return 'mask-damaged';
    case 'mask-mismatch':
    case 'tensor-mismatch':
      return 'mask-mismatch';
    case 'bus-unavailable':
    case 'bus-refused':
    case 'bus-failed':
      return 'away';
    default:
      return 'cannot-prepare';
  }
}
