import { afterEach, beforeAll, expect, it } from 'vitest';
import { describeWithNats } from '../../shared/bus/test-server.spec-support.ts';
import type { Fleet } from '../fleet-processes/fleet.ts';
import { unetCalls } from '../fleet-processes/stored.ts';
import { campaignText, startFleet } from './sweep.spec-support.ts';

const tau = 10;
/** A campaign for each window, with a seed of its own: sums are kept whatever the window was, and each is to be made here. */
const windows = [1, 3, 5, tau];
/** Distinct trajectories of one campaign: a thing, and the same in two styles. */
const trajectories = 3;

const text = (seed: number, cut: Readonly<Record<string, unknown>>): string =>
  campaignText({ name: `seed-${seed}`, seed, tau, prompts: { things: ['an owl'] }, ...cut });

let fleet: Fleet;
afterEach(async () => {
  await fleet.stop();
});

/** Masks of a campaign for each seed, all submitted at once. */
async function sweep(workers: number, cut: (seed: number) => Readonly<Record<string, unknown>>) {
  fleet = await startFleet();
  const { client, ...coordinator } = await fleet.coordinator('c1');
  for (let i = 1; i <= workers; i++) fleet.worker(`w${i}`, { client, ...coordinator });
  const submitted = await Promise.all(windows.map((_, seed) => client.submit(text(seed, cut(seed)))));
  return Promise.all(submitted.map(({ campaign }) => client.masks(campaign)));
}

await describeWithNats('windows of real workers', () => {
  /** Of one worker, and units as large as they can be. */
  let expected: Awaited<ReturnType<typeof sweep>>;

  beforeAll(async () => {
    expected = await sweep(1, () => ({ window: tau, batch: 8 }));
    for (const masks of expected) expect(Object.keys(masks)).toEqual(['Neon', 'Poster']);
    expect(new Set(expected.flatMap((masks) => Object.values(masks))).size).toBe(2 * windows.length);
    await fleet.stop();
  });

  it.each([1, 2, 4])(
    'gives the same masks for 1, 3, 5 and 10 steps with %i workers, and runs no step twice',
    async (workers) => {
      const cut = (seed: number) => ({ window: windows[seed], batch: 1 });
      expect(await sweep(workers, cut)).toEqual(expected);
      expect(await unetCalls(await fleet.bus())).toBe(tau * trajectories * windows.length);
    },
  );
});
