import type { VerificationEntry } from '../../gen/fleet/v1/mask.ts';
import type { ActiveSet } from '../fleet/active-set.ts';
import { age } from './age.ts';
import { escaped } from './escape.ts';
import { shortHash } from './figures.ts';
import { table } from './table.ts';
import type { Terminal } from './terminal.ts';

/** A paragraph a checkpoint: its version, a row a mask, a row a process. @param now milliseconds since 1970 */
export function activeText(sets: readonly ActiveSet[], now: number, terminal: Terminal): string {
  if (sets.length === 0) return 'nothing was ever active: `lethe apply MASK` makes a mask active';
  return sets.map((each) => setText(each, now, terminal)).join('\n\n');
}

function setText({ manifest, change, verifications, processes }: ActiveSet, now: number, terminal: Terminal): string {
  const { checkpoint, version, masks } = manifest;
  if (version === 0)
    return `${checkpoint.slice(0, 19)}: the manifest that is stored is not to be trusted: \`lethe audit\` says why`;
  const since =
    change === undefined ? '' : `, for ${age(Date.parse(change.when), now)} (${change.when}), by ${change.who}`;
  const why = change === undefined || change.why === '' ? '' : `: ${change.why}`;
  const heading = `version ${version} of ${checkpoint.slice(0, 19)}${since}${why}`;
  const maskRows = masks.map(({ concept, mask }) => [
    concept,
    shortHash(mask),
    verifiedCell(verifications.get(mask), checkpoint),
  ]);
  const processRows = processes.map(({ process, version: served, missing, refusedReason, seenAt }) => [
    process,
    served === undefined ? '-' : String(served),
    refusedReason === undefined ? (missing ? 'behind' : 'serving') : `refused (${refusedReason})`,
    age(seenAt, now),
  ]);
  return [
    escaped(heading),
    masks.length === 0 ? 'no mask is active' : table([['concept', 'mask', 'verified'], ...maskRows], [], terminal),
    '',
    processes.length === 0
      ? 'no process serves this checkpoint now'
      : table([['process', 'version', 'state', 'last seen'], ...processRows], ['state'], terminal),
  ].join('\n');
}

/** `320 + 300 images`, `failed`, or `no`: what stands behind a mask on a checkpoint. */
export function verifiedCell(found: VerificationEntry | undefined, checkpoint: string): string {
  if (found?.checkpoint !== checkpoint) return 'no';
  if (!found.passed) return 'failed';
  return found.images === undefined ? 'yes' : `${found.images.target} + ${found.images.rest} images`;
}
