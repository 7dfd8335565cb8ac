import { afterEach, beforeAll, expect, it } from 'vitest';
import { describeWithNats } from '../../shared/bus/test-server.spec-support.ts';
import { decodeMask } from '../../shared/mask/mask-file.ts';
import type { Fleet } from '../fleet-processes/fleet.ts';
import { maskBytes, unetCalls, verdicts } from '../fleet-processes/stored.ts';
import { campaignText, isLease, isResult, startFleet } from './sweep.spec-support.ts';

/** Distinct trajectories of the campaign: three things, and each in two styles. */
const trajectories = 9;
const tau = 3;

let fleet: Fleet;
afterEach(async () => {
  await fleet.stop();
});

await describeWithNats('a sweep', () => {
  /** Hashes of the masks that one worker gives, undisturbed. */
  let expected: Readonly<Record<string, string>>;

  beforeAll(async () => {
    fleet = await startFleet();
    const coordinator = await fleet.coordinator('c1');
    fleet.worker('w1', coordinator);
    const { campaign } = await coordinator.client.submit(campaignText());
    expected = await coordinator.client.masks(campaign);
    const bus = await fleet.bus();
    expect(Object.keys(expected)).toEqual(['Neon', 'Poster']);
    for (const [concept, hash] of Object.entries(expected))
      expect(decodeMask(await maskBytes(bus, hash))).toMatchObject({
        parts: [{ concept, method: 'conceptprune' }],
        // 20 PNDM steps of emoji-sd: the second one calls twice.
        timesteps: [951, 901, 901],
      });
    // τ a distinct trajectory, and none for attention, whose input the text encoder gives.
    expect(await unetCalls(bus)).toBe(tau * trajectories);

    // For attention and text it makes none at all.
    const text = await coordinator.client.submit(
      campaignText({ name: 'text', mask: { sites: { 'attn-key': {}, text: {} } } }),
    );
    expect(text.plan).toMatchObject({ unetCalls: 0 });
    expect(Object.keys(await coordinator.client.masks(text.campaign))).toEqual(['Neon', 'Poster']);
    expect(await unetCalls(bus)).toBe(tau * trajectories);

    // Another share of each row, and a concept fewer: all of it is known.
    const before = (await verdicts(bus)).length;
    const again = await coordinator.client.submit(
      campaignText({ name: 'again', mask: { sites: { ffn2: { skill_ratio: 0.02 } } } }),
    );
    expect(again.plan).toMatchObject({ unetCalls: 0 });
    expect(Object.keys(await coordinator.client.masks(again.campaign))).toEqual(['Neon', 'Poster']);
    expect(await verdicts(bus)).toHaveLength(before);
    // The same text is the same campaign, and it is done.
    expect((await coordinator.client.submit(campaignText())).campaign).toBe(campaign);
    expect(await coordinator.client.masks(campaign)).toEqual(expected);
    await fleet.stop();
  });

  it('gives the same masks when a worker is killed in a unit', async () => {
    fleet = await startFleet();
    const coordinator = await fleet.coordinator('c1');
    const doomed = fleet.worker('w1', coordinator);
    const { campaign } = await coordinator.client.submit(campaignText({ window: 1 }));
    // The third unit: some results are there, and it has just begun this one.
    await coordinator.process.logged(isLease('w1'), 2);
    await doomed.kill();
    fleet.worker('w2', coordinator);
    expect(await coordinator.client.masks(campaign)).toEqual(expected);
  });

  it('gives the same masks when one of two coordinators is killed, and its worker goes to the other', async () => {
    fleet = await startFleet();
    const [doomed, other] = await Promise.all([fleet.coordinator('c1'), fleet.coordinator('c2')]);
    fleet.worker('w1', doomed, other);
    const { campaign } = await doomed.client.submit(campaignText({ window: 1 }));
    await doomed.process.logged(isLease('w1'));
    await doomed.process.kill();
    await other.process.logged(({ msg }) => msg === 'worker connected');
    expect(await other.client.masks(campaign)).toEqual(expected);
  });

  it('gives the same masks when one of two coordinators sleeps through the sweep, and wakes with a result in hand', async () => {
    fleet = await startFleet();
    const [sleeper, other] = await Promise.all([fleet.coordinator('c1'), fleet.coordinator('c2')]);
    fleet.worker('w1', sleeper);
    const { campaign } = await sleeper.client.submit(campaignText({ window: 1 }));
    await sleeper.process.logged(isLease('w1'), 1);
    sleeper.process.child.kill('SIGSTOP');
    fleet.worker('w2', other);
    expect(await other.client.masks(campaign)).toEqual(expected);
    sleeper.process.child.kill('SIGCONT');
    expect(await sleeper.client.masks(campaign)).toEqual(expected);
    // Of every unit and site one result counts.
    const found = (await verdicts(await fleet.bus())).map(({ unit, site }) => `${unit} ${site}`);
    expect(new Set(found).size).toBe(found.length);
  });

  it('gives the same masks when the only coordinator is killed and started again', async () => {
    fleet = await startFleet();
    const doomed = await fleet.coordinator('c1');
    fleet.worker('w1', doomed);
    const { campaign } = await doomed.client.submit(campaignText({ window: 1 }));
    await doomed.process.logged(isResult);
    await doomed.process.kill();
    const next = await fleet.coordinator('c1', doomed.address);
    expect(await next.client.masks(campaign)).toEqual(expected);
  });

  it('gives the same masks when NATS is killed and started again', async () => {
    fleet = await startFleet();
    const coordinator = await fleet.coordinator('c1');
    fleet.worker('w1', coordinator);
    const { campaign } = await coordinator.client.submit(campaignText({ window: 1 }));
    await coordinator.process.logged(isResult);
    await fleet.killNats();
    await fleet.startNats();
    expect(await coordinator.client.masks(campaign)).toEqual(expected);
  });
});
