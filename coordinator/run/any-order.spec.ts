import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { describeWithNats } from '../../shared/bus/test-server.spec-support.ts';
import { connectBus } from '../../shared/bus/connect.ts';
import type { NatsBinary } from '../../shared/bus/server/find-nats-server.ts';
import { runNatsServer } from '../../shared/bus/server/run-nats-server.ts';
import { checkpointId } from '../../shared/checkpoint/checkpoint-id.ts';
import { openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import type { Lease } from '../../shared/fleet/task.ts';
import { unitHash } from '../../shared/unit/unit.ts';
import type { CampaignState } from '../api/campaign-service.ts';
import { fileKeyring } from '../publish/keyring.ts';
import { startCoordinator } from './coordinator.ts';
import { type Deed, SimulatedWorker } from './simulated-worker.spec-support.ts';

const checkpoint = await openCheckpoint(join('checkpoint', 'emoji-sd'));
const id = await checkpointId(checkpoint);
const tau = 10;

/** How a sweep goes: how units are cut, who is there, and what happens to them. */
interface Course {
  readonly seed: number;
  readonly window: number;
  readonly batch: number;
  readonly workers: number;
  readonly coordinators: number;
  /** Of all leases, by chance. */
  readonly trouble: number;
}

/** Masks by concept, and the steps of trajectories that were run. */
async function sweep(binary: NatsBinary, { seed, window, batch, workers, coordinators, trouble }: Course) {
  const random = mulberry32(seed);
  const folder = await mkdtemp(join(tmpdir(), 'lethe-order-'));
  const server = await runNatsServer(binary, folder);
  const fleet = await Promise.all(
    Array.from({ length: coordinators }, async (_, i) => {
      const setup = {
        name: `c${i}`,
        listen: '127.0.0.1:0',
        security: { kind: 'plain-text-loopback' },
        replicas: 1,
        leaseMs: 1_000,
        checkpoints: [],
        scoreThreads: 1,
        keyring: fileKeyring(undefined, undefined),
        fleetKey: undefined,
        registry: new Registry(),
      } as const;
      return startCoordinator(setup, await connectBus(server.address('spec')), pino({ level: 'silent' }));
    }),
  );
  const all: SimulatedWorker[] = [];
  const troubled = new Set<string>();
  const hire = (): void => {
    const coordinator = fleet[Math.floor(random() * fleet.length)];
    let failed = 0;
    const worker = new SimulatedWorker(`w${all.length}`, id, checkpoint, (lease) => {
      const planned = deed(lease);
      // A worker that fails three units is suspended, and here nobody would take its place.
      if (planned.kind === 'fail') failed += 1;
      return planned.kind === 'fail' && failed > 2 ? { kind: 'finish' } : planned;
    });
    all.push(worker);
    if (coordinator !== undefined) worker.connect(coordinator.gate, 1 + Math.floor(random() * 2));
  };
  // Each unit has at most one bad day: three would be its end.
  const deed = ({ unit }: Lease): Deed => {
    const hash = unitHash(unit);
    if (troubled.has(hash) || random() >= trouble) return { kind: 'finish' };
    troubled.add(hash);
    if (random() < 0.5) return { kind: 'fail', code: 'session-failed' };
    hire();
    return { kind: 'vanish' };
  };
  try {
    for (let i = 0; i < workers; i++) hire();
    const [first] = fleet;
    const { campaign } = await first!.desk.submit(campaignText(window, batch), 'spec');
    let last: CampaignState | undefined;
    for await (const state of first!.desk.watch(campaign, new AbortController().signal)) last = state;
    const masks = (last?.concepts ?? []).map((concept) => (concept.kind === 'mask' ? concept.hash : concept.kind));
    return { masks, steps: all.reduce((sum, each) => sum + each.steps, 0) };
  } finally {
    for (const each of fleet) await each.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function campaignText(window: number, batch: number): string {
  const things = ['a cat', 'a dog', 'an owl', 'a fish', 'a bus'];
  return JSON.stringify({
    name: 'any-order',
    numerics: 'simulated',
    sampling: { steps: 20, guidance: 2.5 },
    tau,
    window,
    batch,
    mask: { sites: { ffn2: { skill_ratio: 0.05 }, 'attn-value': { skill_ratio: 0.1 } } },
    concepts: ['Neon', 'Poster'].map((style) => ({
      name: style,
      kind: 'style',
      things,
      phrase: `in the style of ${style}`,
    })),
  });
}

/** `LETHE_COURSES=50 npx vitest run dist/coordinator/run/any-order.spec.js` runs so many more, drawn by chance. */
function moreCourses(): readonly Course[] {
  return Array.from({ length: Number(process.env['LETHE_COURSES'] ?? 0) }, (_, i): Course => {
    const random = mulberry32(1_000 + i);
    const among = (values: readonly number[]): number => values[Math.floor(random() * values.length)] ?? 1;
    return {
      seed: 1_000 + i,
      window: among([1, 2, 3, 5, 7, tau]),
      batch: among([1, 2, 3, 8]),
      workers: among([1, 2, 4]),
      coordinators: among([1, 2, 3]),
      trouble: among([0, 0.05, 0.2, 0.4]),
    };
  });
}

/** Uniform in [0, 1): the same numbers for the same seed. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

await describeWithNats('a sweep in any order', (binary) => {
  it(
    'gives the same masks however units are cut, whoever runs them, in whatever order, with whatever trouble',
    async () => {
      const calm = { seed: 0, window: tau, batch: 8, workers: 1, coordinators: 1, trouble: 0 };
      const { masks, steps } = await sweep(binary, calm);
      expect(masks).toHaveLength(2);
      for (const mask of masks) expect(mask).toMatch(/^[0-9a-f]{64}$/);
      expect(steps).toBe(15 * tau);
      const courses: readonly Course[] = [
        { seed: 1, window: 1, batch: 8, workers: 4, coordinators: 1, trouble: 0 },
        { seed: 2, window: 3, batch: 2, workers: 3, coordinators: 2, trouble: 0.1 },
        { seed: 3, window: 5, batch: 1, workers: 2, coordinators: 2, trouble: 0.2 },
      ];
      for (const course of [...courses, ...moreCourses()]) {
        const found = await sweep(binary, course);
        expect(found.masks, JSON.stringify(course)).toEqual(masks);
        // States are handed on: without trouble no step is run twice.
        if (course.trouble === 0) expect(found.steps).toBe(steps);
      }
    },
    60_000 + 60_000 * Number(process.env['LETHE_COURSES'] ?? 0),
  );
});
