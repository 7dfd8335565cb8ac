import { Fleet } from '../fleet-processes/fleet.ts';
import { cohortSums, maskBytes, unetCalls } from '../fleet-processes/stored.ts';
import { decodeMask } from '../../shared/mask/mask-file.ts';
import type { Mask } from '../../shared/mask/mask.ts';
import type { CohortSum } from '../../shared/statistics/cohort-sum.ts';
import { withinTime } from './sweep-deadline.ts';

/** One sweep by a fleet. */
export interface SweepRun {
  /** From submission to the last mask. Workers are connected and have loaded no model; the store is empty. */
  readonly seconds: number;
  /** What the plan says, and what workers have counted. */
  readonly unetCalls: { readonly planned: number; readonly counted: number };
  readonly masks: ReadonlyMap<string, Mask>;
  readonly sums: readonly CohortSum[];
  /** The same sweep with other settings on the same store. */
  readonly again: { readonly seconds: number; readonly unetCalls: number };
}

/** Milliseconds after which a sweep counts as hung: many times what the longest takes on two slow cores. */
const patienceMs = 20 * 60_000;

/**
 * Sweeps a campaign with a new NATS, coordinator and so many workers of one thread, then another campaign over the same
 * trajectories.
 *
 * @param what the sweep in words: `10 styles`
 * @throws LetheError `fleet-failed` if they do not end.
 */
export async function sweep(what: string, workers: number, text: string, again: string): Promise<SweepRun> {
  const fleet = await Fleet.start({ coordinator: ['--score-threads', '1'], worker: ['--threads', '1'] });
  try {
    const named = `${what} by ${workers} worker${workers === 1 ? '' : 's'}`;
    return await withinTime(sweepTwice(fleet, workers, text, again), named, fleet, patienceMs);
  } finally {
    await fleet.stop();
  }
}

async function sweepTwice(fleet: Fleet, workers: number, text: string, again: string): Promise<SweepRun> {
  const coordinator = await fleet.coordinator('c1');
  const names = Array.from({ length: workers }, (_, i) => `w${i}`);
  for (const name of names) fleet.worker(name, coordinator);
  for (const name of names)
    await coordinator.process.logged((line) => line.msg === 'worker connected' && line['worker'] === name);
  const first = await timed(fleet, coordinator.client, text);
  const second = await timed(fleet, coordinator.client, again);
  const bus = await fleet.bus();
  const masks = new Map<string, Mask>();
  for (const [concept, hash] of Object.entries(first.hashes))
    masks.set(concept, decodeMask(await maskBytes(bus, hash)));
  return {
    seconds: first.seconds,
    unetCalls: { planned: first.planned, counted: first.counted },
    masks,
    sums: await cohortSums(bus),
    again: { seconds: second.seconds, unetCalls: second.planned + second.counted - first.counted },
  };
}

async function timed(fleet: Fleet, client: Awaited<ReturnType<Fleet['coordinator']>>['client'], text: string) {
  const begin = performance.now();
  const { campaign, plan } = await client.submit(text);
  const hashes = await client.masks(campaign);
  const seconds = (performance.now() - begin) / 1000;
  return { seconds, hashes, planned: plan?.unetCalls ?? NaN, counted: await unetCalls(await fleet.bus()) };
}
