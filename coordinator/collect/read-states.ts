import { LetheError } from '../../shared/error/lethe-error.ts';
import type { Blobs } from '../../shared/bus/blobs.ts';
import type { Settled } from '../store/verdict.ts';

/**
 * The trajectories after a window, from the blob that its result names; none if they are not there or damaged, and the
 * trajectories are run from their start.
 */
export async function readStates(blobs: Blobs, before: Settled | undefined): Promise<readonly Uint8Array[]> {
  if (before?.kind !== 'result' || before.states === undefined) return [];
  const { blob, lengths } = before.states;
  if (lengths.reduce((sum, length) => sum + length, 0) !== blob.size) return [];
  try {
    const bytes = await blobs.get(blob.name, blob.digest);
    let at = 0;
    return lengths.map((length) => bytes.subarray(at, (at += length)));
  } catch (error) {
    if (error instanceof LetheError && (error.code === 'blob-missing' || error.code === 'blob-damaged')) return [];
    throw error;
  }
}
