import { records } from '../../shared/bus/names.ts';
import type { Blobs } from '../../shared/bus/blobs.ts';
import { partialFromBytes } from '../../shared/fleet/partial-bytes.ts';
import type { FinishedTask } from '../../shared/fleet/task.ts';
import { checkPartial } from '../../shared/statistics/partial.ts';
import type { Output } from '../../shared/unit/unit.ts';
import type { Store } from '../store/store.ts';
import { encodeStored } from '../store/stored-json.ts';
import { type ImagesVerdict, isRepair, type ResultVerdict } from '../store/verdict.ts';
import { checkImages } from './check-images.ts';

/** A result whose blobs are stored and which no record names yet. */
interface StoredResult {
  /** Names of its blobs. */
  readonly blobs: readonly string[];
  verdictOf(output: Output): ResultVerdict | ImagesVerdict;
}

/**
 * Commits what a worker has computed: blobs first, under names of this attempt, then one record a site, or one for the
 * images. Whoever is first on a record has won; blobs that no record names are deleted.
 *
 * @param blobs the task's, as they were announced
 * @param attempt names this attempt and no other
 * @param items of the unit; undefined where the unit is not known, because another coordinator leased it
 * @returns the sites for which this result is the one that counts.
 * @throws LetheError `partial-invalid` or `image-invalid` with the worker's name for what nothing can have computed.
 */
export async function commitResult(
  store: Store,
  worker: string,
  finished: FinishedTask,
  blobs: readonly Uint8Array[],
  attempt: string,
  items: number | undefined,
): Promise<readonly Output[]> {
  const stored = finished.sites.includes('image')
    ? await putImages(store.blobs, worker, finished, blobs, attempt, items)
    : await putStatistics(store.blobs, worker, finished, blobs, attempt);
  const won: Output[] = [];
  for (const output of finished.sites) if (await offer(store, stored.verdictOf(output))) won.push(output);
  if (won.length === 0) for (const name of stored.blobs) await store.blobs.delete(name);
  return won;
}

async function putStatistics(
  store: Blobs,
  worker: string,
  finished: FinishedTask,
  [values = new Uint8Array(), ...trajectories]: readonly Uint8Array[],
  attempt: string,
): Promise<StoredResult> {
  const { unit, layers, steps, items, timings, calls, timesteps } = finished;
  checkPartial(partialFromBytes(finished, values), worker);
  const partial = await store.put(`partial/${unit}/${attempt}`, values);
  const states =
    trajectories.length === 0
      ? undefined
      : {
          blob: await store.put(`states/${unit}/${attempt}`, Buffer.concat(trajectories)),
          lengths: trajectories.map(({ length }) => length),
        };
  return {
    blobs: [partial.name, ...(states === undefined ? [] : [states.blob.name])],
    verdictOf: (output) => ({
      kind: 'result',
      unit,
      site: output as ResultVerdict['site'],
      worker,
      layers: [...layers],
      steps,
      items,
      timesteps: [...timesteps],
      partial,
      timings,
      calls,
      ...(states && { states }),
    }),
  };
}

async function putImages(
  store: Blobs,
  worker: string,
  { unit, timings, calls }: FinishedTask,
  images: readonly Uint8Array[],
  attempt: string,
  items: number | undefined,
): Promise<StoredResult> {
  checkImages(unit, worker, images, items);
  const blob = await store.put(`images/${unit}/${attempt}`, Buffer.concat(images));
  const lengths = images.map(({ length }) => length);
  return {
    blobs: [blob.name],
    verdictOf: () => ({ kind: 'images', unit, site: 'image', worker, images: { blob, lengths }, timings, calls }),
  };
}

/** First wins; a record that asks for repair is replaced by the first result that comes. */
async function offer({ records: stored }: Store, verdict: ResultVerdict | ImagesVerdict): Promise<boolean> {
  const subject = records.verdict(verdict.unit, verdict.site);
  const bytes = encodeStored(verdict);
  const offered = await stored.offer(subject, bytes);
  if (offered.kind === 'won') return true;
  const { winner } = offered;
  if (!isRepair(winner.bytes, subject)) return false;
  return (await stored.replace(subject, bytes, winner.sequence)).kind === 'replaced';
}
