import { AuditLog } from '../../shared/bus/audit-log.ts';
import { Blobs } from '../../shared/bus/blobs.ts';
import { Broadcast } from '../../shared/bus/broadcast.ts';
import type { Bus } from '../../shared/bus/bus.ts';
import { Documents } from '../../shared/bus/documents.ts';
import { ensureStreams, type Replicas } from '../../shared/bus/ensure-streams.ts';
import { buckets } from '../../shared/bus/names.ts';
import { Records } from '../../shared/bus/records.ts';
import { WorkQueue } from '../../shared/bus/work-queue.ts';
import type { FleetKey } from '../../shared/manifest/fleet-key.ts';
import { MaskBlobs } from './mask-blobs.ts';

/** All that coordinators share: a coordinator holds nothing that is not here. */
export interface Store {
  readonly queue: WorkQueue;
  readonly records: Records;
  readonly blobs: Blobs;
  /** Entries of campaigns. */
  readonly campaigns: Documents;
  readonly manifests: Documents;
  /** Who changed what is active. */
  readonly audit: AuditLog;
  /** By mask. */
  readonly verifications: Documents;
  /** Those of `blobs` that are masks: sealed where there is a fleet key. */
  readonly masks: MaskBlobs;
  readonly broadcast: Broadcast;
  /** Whether NATS is there now, as far as it is known. */
  readonly isConnected: () => boolean;
}

/**
 * The store behind a connection, made ready.
 *
 * @param leaseMs time until a silent lease ends; one for the whole fleet.
 * @param fleetKey that masks are sealed with; undefined: they are not
 */
export async function openStore(bus: Bus, replicas: Replicas, leaseMs: number, fleetKey?: FleetKey): Promise<Store> {
  await ensureStreams(bus, replicas);
  const blobs = new Blobs(bus);
  return {
    queue: new WorkQueue(bus, leaseMs),
    records: new Records(bus),
    blobs,
    masks: new MaskBlobs(blobs, fleetKey),
    campaigns: new Documents(bus, buckets.campaigns),
    manifests: new Documents(bus, buckets.manifests),
    audit: new AuditLog(bus),
    verifications: new Documents(bus, buckets.verifications),
    broadcast: new Broadcast(bus),
    isConnected: () => !bus.connection.aborted,
  };
}
