import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { said } from '../../cli/fleet.spec-support.ts';
import { cleanEnvironment, ended, lethe, mainFile } from '../../cli/run-command.spec-support.ts';
import type { Bus } from '../../shared/bus/bus.ts';
import { blobStore } from '../../shared/bus/names.ts';
import { describeWithNats } from '../../shared/bus/test-server.spec-support.ts';
import { campaignText, isLease, isResult, startFleet } from '../exact/sweep.spec-support.ts';
import type { Fleet } from '../fleet-processes/fleet.ts';
import { verdicts } from '../fleet-processes/stored.ts';

let folder: string;
let file: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lethe-outage-'));
  file = join(folder, 'tiny.yaml');
  await writeFile(file, campaignText({ window: 1 }));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

interface OneWorker {
  readonly fleet: Fleet;
  readonly coordinator: Awaited<ReturnType<Fleet['coordinator']>>;
  /** w1 */
  readonly worker: ReturnType<Fleet['worker']>;
}

/** A fleet for the time of a spec: specs here run side by side, for they wait more than they compute. */
async function withFleet(use: (one: OneWorker) => Promise<void>, nats?: Promise<string>): Promise<void> {
  const fleet = await startFleet(await nats);
  try {
    const coordinator = await fleet.coordinator('c1');
    await use({ fleet, coordinator, worker: fleet.worker('w1', coordinator) });
  } finally {
    await fleet.stop();
  }
}

/** Limits what the store of blobs may hold, as a full disk does: the server refuses what is more with error 10077. */
async function limitBlobs(bus: Bus, most: number): Promise<void> {
  const name = `OBJ_${blobStore}`;
  const { config } = await bus.api<{ config: object }>(`STREAM.INFO.${name}`);
  await bus.api(`STREAM.UPDATE.${name}`, { ...config, max_bytes: most });
}

/** Hashes by concept of what `lethe sweep --json` has told. */
function masksOf(stdout: string): Readonly<Record<string, string>> {
  const { concepts } = JSON.parse(stdout) as { concepts: readonly { concept: string; mask: string }[] };
  return Object.fromEntries(concepts.map(({ concept, mask }) => [concept, mask]));
}

/** nats-server that cannot write files past 200 KB: to the system a failure like that of a full disk. */
async function crampedNats(path: string): Promise<string> {
  const script = join(folder, 'cramped-nats-server');
  await writeFile(script, `#!/bin/sh\nulimit -f 400\nexec '${path}' "$@"\n`, { mode: 0o700 });
  return script;
}

await describeWithNats('a sweep', ({ path }) => {
  /** Hashes of the masks that one worker gives, undisturbed. */
  let expected: Readonly<Record<string, string>>;

  beforeAll(async () => {
    await withFleet(async ({ coordinator }) => {
      const { campaign } = await coordinator.client.submit(campaignText());
      expected = await coordinator.client.masks(campaign);
    });
  });

  it.concurrent('gives the same masks when a worker hangs in a unit, and its late result changes nothing', () =>
    withFleet(async ({ fleet, coordinator, worker: hanging }) => {
      const { campaign } = await coordinator.client.submit(campaignText({ window: 1 }));
      await coordinator.process.logged(isLease('w1'), 2);
      hanging.child.kill('SIGSTOP');
      fleet.worker('w2', coordinator);
      expect(await coordinator.client.masks(campaign)).toEqual(expected);

      const bus = await fleet.bus();
      const before = await verdicts(bus);
      hanging.child.kill('SIGCONT');
      // It comes back to a fleet that needs it: for prompts that nobody has run, on its own.
      const again = await coordinator.client.submit(campaignText({ name: 'next', prompts: { things: ['a red bus'] } }));
      await coordinator.process.logged(({ msg, worker }) => msg === 'worker connected' && worker === 'w1', 1);
      expect(Object.keys(await coordinator.client.masks(again.campaign))).toEqual(['Neon', 'Poster']);
      const after = await verdicts(bus);
      expect(after.slice(0, before.length)).toEqual(before);
      expect(await coordinator.client.masks(campaign)).toEqual(expected);
    }),
  );

  it.concurrent('waits for a NATS that is away for longer than leases, says so, and gives the same masks', () =>
    withFleet(async ({ fleet, coordinator }) => {
      const args = ['sweep', file, '--coordinator', coordinator.address, '--data', join(folder, 'away'), '--json'];
      const sweep = spawn(process.execPath, [mainFile, ...args], { env: cleanEnvironment() });
      const end = ended(sweep);
      const waits = said(
        sweep,
        'stderr',
        /"event":"waits".*"code":"bus-unavailable","what":"the campaign waits for NATS"/,
      );
      const goesOn = said(sweep, 'stderr', /"event":"goes-on"/);
      await coordinator.process.logged(isResult);
      await fleet.killNats();
      await waits;
      // A call waits for 15 s: five leases.
      await coordinator.process.logged(({ msg }) => msg === 'cannot renew leases' || msg === 'cannot commit a result');
      await fleet.startNats();
      await goesOn;
      const { code, stdout } = await end;
      expect({ code, masks: masksOf(stdout) }).toEqual({ code: 0, masks: expected });
    }),
  );

  it.concurrent('waits where NATS has no room, says so, and goes on with the same masks when there is some', () =>
    withFleet(async ({ fleet, coordinator }) => {
      const { campaign } = await coordinator.client.submit(campaignText({ window: 1 }));
      await coordinator.process.logged(isResult);
      const bus = await fleet.bus();
      const kept = await verdicts(bus);
      await limitBlobs(bus, 1);
      const { waiting } = await coordinator.client.until(campaign, (state) => state.waiting !== undefined);
      expect(waiting).toMatchObject({
        code: 'bus-store-failed',
        why: expect.stringContaining('10077') as string,
        next: expect.stringContaining('make room on the disk of NATS') as string,
      });
      await limitBlobs(bus, -1);
      expect(await coordinator.client.masks(campaign)).toEqual(expected);
      const found = await verdicts(bus);
      expect(found).toEqual(expect.arrayContaining([...kept]));
      // Nobody was blamed for it.
      expect(found.filter(({ kind }) => kind !== 'result')).toEqual([]);
    }),
  );

  it.concurrent(
    'waits for a NATS that cannot write to its disk, says so, and gives the same masks when it has room again',
    () =>
      withFleet(async ({ fleet, coordinator }) => {
        const { campaign } = await coordinator.client.submit(campaignText({ window: 1 }));
        await coordinator.process.logged(isResult);
        const { waiting, units } = await coordinator.client.until(campaign, (state) => state.waiting !== undefined);
        expect(units?.done).toBeGreaterThan(0);
        expect(waiting?.next).toContain('has room on its disk');
        await fleet.killNats();
        await fleet.startNats();
        expect(await coordinator.client.masks(campaign)).toEqual(expected);
      }, crampedNats(path)),
  );

  it.concurrent('says that NATS is away where it is from the start, and the same command goes on when it is back', () =>
    withFleet(async ({ fleet, coordinator }) => {
      await fleet.killNats();
      const args = ['sweep', file, '--coordinator', coordinator.address, '--data', join(folder, 'start'), '--json'];
      const second = fleet.startCoordinator('c2');
      const [refused, fatal] = await Promise.all([
        lethe(args),
        second.logged(({ level }) => level === 60).then((line) => second.exit.then((code) => ({ ...line, code }))),
      ]);
      expect(refused.code).toBe(1);
      expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: 'bus-unavailable' } });
      expect(refused.stderr).toMatch(/what to do: look whether NATS runs/);
      expect(fatal).toMatchObject({ code: 1, msg: expect.stringContaining('cannot connect to NATS') as string });

      await fleet.startNats();
      const { code, stdout } = await lethe(args);
      expect({ code, masks: masksOf(stdout) }).toEqual({ code: 0, masks: expected });
    }),
  );
});
