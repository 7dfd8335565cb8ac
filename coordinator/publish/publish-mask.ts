import { createHash } from 'node:crypto';
import type { Blobs } from '../../shared/bus/blobs.ts';

/** Name of a mask in the blob store. */
export function maskName(hash: string): string {
  return `mask/${hash}`;
}

/**
 * Stores a mask under the hash of its bytes, as a candidate: nothing is active until it is applied. Storing it twice is no
 * harm.
 *
 * @returns its hash, 64 hex digits.
 */
export async function publishMask(blobs: Blobs, bytes: Uint8Array): Promise<string> {
  const hash = createHash('sha256').update(bytes).digest('hex');
  const found = await blobs.find(maskName(hash));
  if (found?.digest !== hash) await blobs.put(maskName(hash), bytes);
  return hash;
}
