import { join } from 'node:path';
import { Registry } from 'prom-client';
import { describe, expect, it, vi } from 'vitest';
import { recordFilters } from '../../shared/bus/names.ts';
import { describeWithServer } from '../../shared/bus/test-server.spec-support.ts';
import { checkpointId } from '../../shared/checkpoint/checkpoint-id.ts';
import { openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import type { Lease } from '../../shared/fleet/task.ts';
import type { CampaignState } from '../api/campaign-service.ts';
import { campaignId } from '../store/campaign-entry.ts';
import { decodeStored } from '../store/stored-json.ts';
import { verdictSchema } from '../store/verdict.ts';
import { coordinatorsOn, until } from './coordinators.spec-support.ts';
import { type Deed, SimulatedWorker } from './simulated-worker.spec-support.ts';

const checkpoint = await openCheckpoint(join('checkpoint', 'emoji-sd'));
const id = await checkpointId(checkpoint);

let number = 0;
/** A campaign with prompts of its own, so that no spec finds what another one has stored. */
function text(settings: Readonly<Record<string, unknown>> = {}): string {
  number += 1;
  return JSON.stringify({
    name: `campaign-${number}`,
    numerics: 'simulated',
    sampling: { steps: 20, guidance: 2.5 },
    tau: 3,
    batch: 2,
    mask: { sites: { ffn2: { skill_ratio: 0.05 } } },
    concepts: ['Neon', 'Poster'].map((style) => ({
      name: style,
      kind: 'style',
      things: [`a cat ${number}`, `a dog ${number}`, `an owl ${number}`],
      phrase: `in the style of ${style}`,
    })),
    ...settings,
  });
}

await describeWithServer('a coordinator', (server) => {
  const start = coordinatorsOn(server);

  const worker = (name: string, deed?: (lease: Lease, count: number) => Deed, memory?: number) =>
    new SimulatedWorker(name, id, checkpoint, deed, memory);
  const kinds = ({ concepts }: CampaignState) =>
    Object.fromEntries(concepts.map(({ concept, kind }) => [concept, kind]));
  const bothMasks = { Neon: 'mask', Poster: 'mask' };

  describe('with units that fail', () => {
    it('fails the concepts that need a unit after three attempts, and finishes the others', async () => {
      const coordinator = await start();
      const isPoster = ({ unit }: Lease) =>
        unit.kind === 'denoise' && unit.trajectories.some(({ prompt }) => prompt.includes('Poster'));
      const deed = (lease: Lease): Deed =>
        isPoster(lease) ? { kind: 'fail', code: 'session-failed' } : { kind: 'finish' };
      const workers = ['w1', 'w2'].map((name) => worker(`${name} ${number}`, deed));
      for (const each of workers) each.connect(coordinator.gate);
      const { campaign } = await coordinator.desk.submit(text(), 'spec');
      const state = await until(coordinator, campaign);
      expect(kinds(state)).toEqual({ Neon: 'mask', Poster: 'failed' });
      expect(state.failure?.code).toBe('campaign-failed');
      const tries = workers.flatMap(({ leases }) => leases.filter(isPoster).map(({ unit }) => JSON.stringify(unit)));
      // Two units, three attempts each; both workers had a turn.
      expect([tries.length, new Set(tries).size]).toEqual([6, 2]);
      for (const { leases } of workers) expect(leases.filter(isPoster).length).toBeGreaterThan(0);
    });

    it('ends a unit at once whose activations are not finite', async () => {
      const coordinator = await start();
      const failing = worker(`w ${number}`, () => ({ kind: 'fail', code: 'non-finite' }));
      failing.connect(coordinator.gate);
      const { campaign, plan } = await coordinator.desk.submit(text(), 'spec');
      expect(kinds(await until(coordinator, campaign))).toEqual({ Neon: 'failed', Poster: 'failed' });
      expect(failing.leases.length).toBeLessThanOrEqual(plan.units);
    });

    it('suspends a worker that fails several different units, and another one does them', async () => {
      const coordinator = await start();
      const bad = worker(`bad ${number}`, () => ({ kind: 'fail', code: 'session-failed' }));
      bad.connect(coordinator.gate);
      const { campaign } = await coordinator.desk.submit(text({ batch: 1 }), 'spec');
      await vi.waitFor(async () => {
        const [status] = await coordinator.desk.workers();
        expect(status?.suspended).toContain('it failed 3 units');
      }, 120_000);
      worker(`good ${number}`).connect(coordinator.gate);
      expect(kinds(await until(coordinator, campaign))).toEqual(bothMasks);
    });

    it('moves a unit that is out of memory to a larger class', async () => {
      const coordinator = await start();
      const starving = (lease: Lease): Deed =>
        lease.memory < 2 ** 31
          ? { kind: 'fail', code: 'session-failed', why: 'CUDA out of memory' }
          : { kind: 'finish' };
      const large = worker(`large ${number}`, starving);
      large.connect(coordinator.gate);
      const { campaign } = await coordinator.desk.submit(text(), 'spec');
      expect(kinds(await until(coordinator, campaign))).toEqual(bothMasks);
      expect(new Set(large.leases.map(({ memory }) => memory >= 2 ** 31))).toEqual(new Set([false, true]));
    });
  });

  describe('with workers that vanish or hang', () => {
    it('has another worker do what one had when it vanished, once its lease has ended', async () => {
      const coordinator = await start();
      const vanishing = worker(`v ${number}`, () => ({ kind: 'vanish' }));
      vanishing.connect(coordinator.gate);
      const { campaign } = await coordinator.desk.submit(text(), 'spec');
      await vi.waitFor(() => {
        expect(vanishing.leases).toHaveLength(1);
      }, 120_000);
      const other = worker(`w ${number}`);
      other.connect(coordinator.gate);
      expect(kinds(await until(coordinator, campaign))).toEqual(bothMasks);
      expect(other.leases.map(({ task }) => task)).toContain(vanishing.leases[0]?.task);
    });
  });

  describe('with results that are lost', () => {
    it('runs a unit again whose blob is missing or damaged, and a window again whose state is', async () => {
      const coordinator = await start();
      const { store } = coordinator;
      const yaml = text({ window: 1 });
      // All but the last unit, so that nothing is summed yet.
      let finished = 0;
      const first = worker(`w1 ${number}`, () => (++finished > 6 ? { kind: 'vanish' } : { kind: 'finish' }));
      first.connect(coordinator.gate);
      const { campaign } = await coordinator.desk.submit(yaml, 'spec');
      await until(coordinator, campaign, ({ units }) => units.done === 6);
      const units = new Set(first.leases.map(({ unit }) => JSON.stringify(unit)));
      expect(units.size).toBe(7);
      const blobs: string[] = [];
      const states: string[] = [];
      for await (const { bytes, subject } of store.records.list(recordFilters.verdicts)) {
        const verdict = decodeStored(verdictSchema, bytes, subject);
        if (verdict.kind !== 'result' || verdict.worker !== first.hello.worker) continue;
        blobs.push(verdict.partial.name);
        if (verdict.states !== undefined) states.push(verdict.states.blob.name);
      }
      const [missing = '', damaged = ''] = blobs;
      await store.blobs.delete(missing);
      await store.blobs.put(damaged, new Uint8Array(8));
      for (const name of states) await store.blobs.delete(name);
      const second = worker(`w2 ${number}`);
      second.connect(coordinator.gate);
      expect(kinds(await until(coordinator, campaign))).toEqual(bothMasks);
      const again = second.leases.map(({ unit }) => JSON.stringify(unit)).filter((unit) => units.has(unit));
      // The two whose blobs are gone, and the one that the first worker did not come back with.
      expect(new Set(again).size).toBe(3);
      await expect(store.blobs.find(missing)).resolves.toBeUndefined();
    });
  });

  describe('with a worker that opens another stream while its result is committed', () => {
    /** A worker of which a result is asked that it does not send before `sending`. */
    async function collectedFrom(coordinator: Awaited<ReturnType<typeof start>>, sending: Promise<void>) {
      const first = worker(`w ${number}`);
      first.sending = sending;
      first.connect(coordinator.gate);
      const { campaign } = await coordinator.desk.submit(text(), 'spec');
      await vi.waitFor(() => {
        expect(first.collections).toBeGreaterThan(0);
      }, 120_000);
      return { first, campaign };
    }

    it('has the result from the later stream where the earlier one gave it no more', async () => {
      const coordinator = await start();
      const { first, campaign } = await collectedFrom(coordinator, new Promise(() => undefined));
      const second = first.reopened();
      second.connect(coordinator.gate);
      expect(kinds(await until(coordinator, campaign))).toEqual(bothMasks);
      const [lease] = first.leases;
      expect(second.leases.map(({ task }) => task)).not.toContain(lease?.task);
    });

    it('has the unit run again where the later stream has no result of it', async () => {
      const coordinator = await start();
      const { first, campaign } = await collectedFrom(coordinator, new Promise(() => undefined));
      // Started anew under the same name.
      const second = worker(first.hello.worker);
      second.connect(coordinator.gate);
      expect(kinds(await until(coordinator, campaign))).toEqual(bothMasks);
      expect(second.leases.map(({ task }) => task)).toContain(first.leases[0]?.task);
    });

    it('has the later stream forget what was committed from the earlier one', async () => {
      const coordinator = await start();
      let send = (): void => undefined;
      const sending = new Promise<void>((resolve) => {
        send = resolve;
      });
      const { first, campaign } = await collectedFrom(coordinator, sending);
      send();
      // By then the blobs have arrived, and are not stored yet: that takes answers of NATS.
      await new Promise(setImmediate);
      const second = first.reopened();
      expect(second.kept).toBeGreaterThan(0);
      second.connect(coordinator.gate);
      expect(kinds(await until(coordinator, campaign))).toEqual(bothMasks);
      await vi.waitFor(() => {
        expect(second.kept).toBe(0);
      }, 120_000);
    });
  });

  describe('with several campaigns', () => {
    it('stops a campaign that is cancelled, and goes on when it is submitted again', async () => {
      const coordinator = await start();
      const yaml = text({ batch: 1 });
      const hanging = worker(`h ${number}`, (_, count) => ({ kind: count > 2 ? 'hang' : 'finish' }));
      hanging.connect(coordinator.gate);
      const { campaign } = await coordinator.desk.submit(yaml, 'spec');
      await until(coordinator, campaign, ({ units }) => units.done === 2);
      await coordinator.desk.cancel(campaign, 'enough');
      const state = await until(coordinator, campaign);
      expect(state.failure).toMatchObject({ code: 'campaign-cancelled', why: 'enough' });
      await vi.waitFor(async () => {
        expect(await coordinator.store.queue.queued(campaign)).toEqual([]);
      }, 120_000);
      hanging.leave();
      const again = await coordinator.desk.submit(yaml, 'spec');
      const next = worker(`w ${number}`);
      next.connect(coordinator.gate);
      expect(again).toMatchObject({ campaign, plan: { done: 2 } });
      expect(kinds(await until(coordinator, campaign))).toEqual(bothMasks);
      expect(next.leases).toHaveLength(again.plan.units - 2);
    });

    it('shares one worker between campaigns, whichever came first', async () => {
      const coordinator = await start();
      const shared = worker(`w ${number}`);
      const submitted = await Promise.all(
        [text({ batch: 1 }), text({ batch: 1 })].map((yaml) => coordinator.desk.submit(yaml, 'spec')),
      );
      await vi.waitFor(async () => {
        for (const { campaign } of submitted) expect(await coordinator.store.queue.queued(campaign)).toHaveLength(9);
      }, 120_000);
      shared.connect(coordinator.gate);
      for (const { campaign } of submitted) expect(kinds(await until(coordinator, campaign))).toEqual(bothMasks);
      const half = shared.leases.slice(0, 9).map(({ campaign }) => campaign);
      expect(new Set(half).size).toBe(2);
    });

    it('counts what won', async () => {
      const registry = new Registry();
      const coordinator = await start('c1', { registry });
      worker(`w ${number}`).connect(coordinator.gate);
      const { campaign, plan } = await coordinator.desk.submit(text(), 'spec');
      await until(coordinator, campaign);
      const told = await registry.metrics();
      expect(told).toContain(`\nlethe_results_total ${plan.units}\n`);
      expect(told).toContain(`\nlethe_committed_unet_calls_total ${plan.unetCalls}\n`);
      // Three cohorts: what the styles are held against, and each style.
      expect(told).toContain('\nlethe_sums_total 3\n');
      expect(told).toContain('\nlethe_workers{state="ready"} 1\n');
    });

    it.each([
      [{ checkpoint: '/nope/x' }, 'checkpoint-layout', /^c\.json:1:\d+ checkpoint: \/nope\/x$/],
      [{ sampling: { steps: 1000 } }, 'sampling-invalid', /^c\.json:1:\d+ sampling\.steps$/],
      [{ tau: 60 }, 'campaign-invalid', /^c\.json:1:\d+ tau$/],
      [
        { verify: { prompts: ['a'], thresholds: { ua: 1 }, sampling: { size: 30 } } },
        'campaign-invalid',
        /^c\.json:1:\d+ verify\.sampling\.size$/,
      ],
    ])('refuses %j by its place, and keeps nothing of it', async (settings, code, where) => {
      const coordinator = await start();
      const yaml = text(settings);
      const refusal = { code, where: expect.stringMatching(where) as string };
      await expect(coordinator.desk.submit(yaml, 'c.json')).rejects.toMatchObject(refusal);
      await expect(coordinator.desk.plan(yaml, 'c.json')).rejects.toMatchObject(refusal);
      const stored = await coordinator.store.campaigns.read(campaignId(`campaign-${number}`, yaml));
      expect(stored).toBeUndefined();
    });

    it('refuses to follow a campaign that nobody submitted', async () => {
      const { desk } = await start();
      await expect(desk.cancel('nothing-0', '')).rejects.toMatchObject({ code: 'campaign-missing' });
    });
  });
});
