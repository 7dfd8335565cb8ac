import { records } from '../../shared/bus/names.ts';
import type { SiteName } from '../../shared/model/site.ts';
import { partialFromBytes } from '../../shared/fleet/partial-bytes.ts';
import type { FinishedTask } from '../../shared/fleet/task.ts';
import { checkPartial } from '../../shared/statistics/partial.ts';
import type { Store } from '../store/store.ts';
import { encodeStored } from '../store/stored-json.ts';
import { isRepair, type ResultVerdict } from '../store/verdict.ts';

/**
 * Commits what a worker has computed: blobs first, under names of this attempt, then one record a site. Whoever is first on
 * a record has won; blobs that no record names are deleted.
 *
 * @param blobs the task's, as they were announced
 * @param attempt names this attempt and no other
 * @returns the sites for which this result is the one that counts.
 * @throws LetheError `partial-invalid` with the worker's name for statistics that nothing can have computed.
 */
export async function commitResult(
  store: Store,
  worker: string,
  finished: FinishedTask,
  blobs: readonly Uint8Array[],
  attempt: string,
): Promise<readonly SiteName[]> {
  const { unit, sites, layers, steps, items, timings, calls, timesteps } = finished;
  const [values = new Uint8Array(), ...trajectories] = blobs;
  checkPartial(partialFromBytes(finished, values), worker);

  const names = { partial: `partial/${unit}/${attempt}`, states: `states/${unit}/${attempt}` };
  const partial = await store.blobs.put(names.partial, values);
  const states =
    trajectories.length === 0
      ? undefined
      : {
          blob: await store.blobs.put(names.states, Buffer.concat(trajectories)),
          lengths: trajectories.map(({ length }) => length),
        };
  const won: SiteName[] = [];
  for (const site of sites) {
    const verdict: ResultVerdict = {
      kind: 'result',
      unit,
      site,
      worker,
      layers: [...layers],
      steps,
      items,
      timesteps: [...timesteps],
      partial,
      timings,
      calls,
      ...(states && { states }),
    };
    if (await offer(store, verdict)) won.push(site);
  }
  if (won.length === 0) {
    await store.blobs.delete(names.partial);
    if (states !== undefined) await store.blobs.delete(names.states);
  }
  return won;
}

/** First wins; a record that asks for repair is replaced by the first result that comes. */
async function offer({ records: stored }: Store, verdict: ResultVerdict): Promise<boolean> {
  const subject = records.verdict(verdict.unit, verdict.site);
  const bytes = encodeStored(verdict);
  const offered = await stored.offer(subject, bytes);
  if (offered.kind === 'won') return true;
  const { winner } = offered;
  if (!isRepair(winner.bytes, subject)) return false;
  return (await stored.replace(subject, bytes, winner.sequence)).kind === 'replaced';
}
