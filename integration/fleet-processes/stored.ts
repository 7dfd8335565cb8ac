import { maskBlob } from '../../coordinator/publish/publish-mask.ts';
import { decodeStored } from '../../coordinator/store/stored-json.ts';
import { type SumRecord, sumRecordSchema } from '../../coordinator/store/sum-record.ts';
import { verdictSchema, type Verdict } from '../../coordinator/store/verdict.ts';
import { Blobs } from '../../shared/bus/blobs.ts';
import type { Bus } from '../../shared/bus/bus.ts';
import { blobStore, recordFilters } from '../../shared/bus/names.ts';
import { orderedRead } from '../../shared/bus/ordered-read.ts';
import { Records } from '../../shared/bus/records.ts';
import { decompressMask } from '../../shared/mask/mask-storage.ts';
import type { CohortSum } from '../../shared/statistics/cohort-sum.ts';
import { decodeCohortSum } from '../../shared/statistics/cohort-sum-file.ts';

/** The canonical bytes of a mask, as they are stored. */
export async function maskBytes(bus: Bus, hash: string): Promise<Uint8Array> {
  return decompressMask(await new Blobs(bus).get(maskBlob(hash)), hash);
}

/** All that the object store holds, as whoever can read NATS finds it: entries and chunks, entered or not. */
export async function blobStoreBytes(bus: Bus): Promise<Buffer> {
  const found: Uint8Array[] = [];
  for await (const event of orderedRead(bus, `OBJ_${blobStore}`, `$O.${blobStore}.>`, { live: false, batch: 256 }))
    if (event.kind === 'message') found.push(event.message.bytes);
  return Buffer.concat(found);
}

/** All verdicts of the store. */
export async function verdicts(bus: Bus): Promise<readonly Verdict[]> {
  const found: Verdict[] = [];
  for await (const { bytes, subject } of new Records(bus).list(recordFilters.verdicts))
    found.push(decodeStored(verdictSchema, bytes, subject));
  return found;
}

/** UNet calls that committed results were made with, counted by the workers. */
export async function unetCalls(bus: Bus): Promise<number> {
  const byBlob = new Map<string, number>();
  for (const verdict of await verdicts(bus))
    if (verdict.kind === 'result') byBlob.set(verdict.partial.name, verdict.calls.unetCalls);
  return [...byBlob.values()].reduce((sum, calls) => sum + calls, 0);
}

/** The sums of all cohorts, as scoring read them. */
export async function cohortSums(bus: Bus): Promise<readonly CohortSum[]> {
  const found: SumRecord[] = [];
  for await (const { bytes, subject } of new Records(bus).list(recordFilters.sums))
    found.push(decodeStored(sumRecordSchema, bytes, subject));
  const blobs = new Blobs(bus);
  return Promise.all(found.map(async ({ sum }) => decodeCohortSum(await blobs.get(sum.name, sum.digest))));
}
