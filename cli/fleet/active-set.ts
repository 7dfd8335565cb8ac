import type { HistoryEntry, ManifestResponse, ServingProcess, VerificationEntry } from '../../gen/fleet/v1/mask.ts';
import type { FleetClient } from './fleet-client.ts';

/** What is active for a checkpoint, since when, and who serves it. */
export interface ActiveSet {
  readonly manifest: ManifestResponse;
  /** The change that made it; undefined where its record is lost. */
  readonly change: HistoryEntry | undefined;
  /** The newest of each mask, by its hash; of those alone that were verified. */
  readonly verifications: ReadonlyMap<string, VerificationEntry>;
  readonly processes: readonly ServingProcess[];
}

/** Reads what belongs to a manifest. */
export async function activeSet(client: FleetClient, manifest: ManifestResponse): Promise<ActiveSet> {
  const { checkpoint, version, masks } = manifest;
  let change: HistoryEntry | undefined;
  // The newest may be decided and not published yet: then it is the one before.
  for await (const entry of client.history(checkpoint, 2)) if (entry.version === version) change = entry;
  const verifications = new Map<string, VerificationEntry>();
  for await (const each of client.verifications(masks.map(({ mask }) => mask))) verifications.set(each.mask, each);
  return { manifest, change, verifications, processes: (await client.serving(checkpoint)).processes };
}
