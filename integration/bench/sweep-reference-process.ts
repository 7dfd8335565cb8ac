/**
 * The reference procedure (ConceptPrune's own code), by the same engine, one thread: both prompts of every pair, one at a
 * time, 51 guided UNet calls with taps, the norms of the first τ kept, the image decoded; then norms to masks. Is sent a
 * concept, answers with what it took and found.
 */
import { emojiSdDirectory } from '../../cli/default-checkpoint.ts';
import type { Concept } from '../../coordinator/plan/campaign.ts';
import { checkpointId } from '../../shared/checkpoint/checkpoint-id.ts';
import { openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { normsOf } from '../../shared/method/conceptprune/norms.ts';
import { ScorePool } from '../../shared/method/conceptprune/score-pool.ts';
import { layersOf, sites } from '../../shared/model/site.ts';
import { statisticOf } from '../../shared/statistics/partial.ts';
import { type DenoiseUnit, graphVersion, type TrajectoryKey } from '../../shared/unit/unit.ts';
import { StableDiffusion } from '../../worker/diffusion/stable-diffusion.ts';
import { decodeTrajectory } from '../../worker/diffusion/trajectory-state.ts';
import { observeUnit } from '../../worker/observe/observe-unit.ts';
import { noCalls } from '../../worker/observe/phase.ts';
import { SessionCache } from '../../worker/session/session-cache.ts';
import { SessionThread } from '../../worker/session/session-thread.ts';
import { tau } from './sweep-campaign.ts';
import type { ReferenceReply, ReferenceRun } from './sweep-reference.ts';

const steps = 50;
const calls = 51;
const sampling = { scheduler: 'pndm', steps, guidance: 7.5 } as const;

const thread = new SessionThread();
let loadSeconds = 0;
const timed: Pick<SessionThread, 'open'> = {
  async open(graph, settings) {
    const begin = performance.now();
    const session = await thread.open(graph, settings);
    loadSeconds += (performance.now() - begin) / 1000;
    return session;
  },
};
const sessions = new SessionCache(timed, { provider: 'cpu', threads: 1 }, 3);
const scoring = new ScorePool(1);
const checkpoint = await openCheckpoint(emojiSdDirectory);
const id = await checkpointId(checkpoint);
const layers = sites.flatMap((site) => (site.name === 'ffn2' ? layersOf(site, checkpoint.unet.weights) : []));
let opened: StableDiffusion | undefined;

async function run({ target, base, mask }: Concept): Promise<ReferenceRun> {
  const begin = performance.now();
  loadSeconds = 0;
  opened ??= await StableDiffusion.open(checkpoint, sessions);
  const counter = noCalls();
  let images = 0;
  // Pair by pair, as the reference goes.
  const sums = { target: emptySums(), base: emptySums() };
  for (const [i, prompt] of target.entries()) {
    for (const [role, trajectory] of [['base', base[i] ?? prompt] as const, ['target', prompt] as const]) {
      await observe(opened, trajectory, sums[role], counter);
      images += 1;
    }
  }
  const [site] = mask.sites;
  const settings = { skillRatio: site?.skillRatio ?? 0, selection: 'reference', margin: 1, selectRatio: 0 } as const;
  const scored = layers.map(({ name }, layer) => {
    const of = (role: keyof typeof sums) =>
      (sums[role][layer] ?? []).map((values) => normsOf({ count: target.length, values }));
    return { name, norms: { target: of('target'), base: of('base') } };
  });
  const { tensors } = checkpoint.unet.weights;
  const selections = await scoring.score(
    scored.flatMap(({ name, norms }) => {
      const weight = tensors.get(`${name}.weight`);
      return weight === undefined ? [] : [{ file: weight.file, weight, norms, settings }];
    }),
  );
  return {
    seconds: (performance.now() - begin) / 1000,
    loadSeconds,
    unetCalls: counter.unetCalls,
    images,
    layers: scored.flatMap((layer, i) => {
      const selection = selections[i];
      return selection === undefined ? [] : [{ ...layer, union: selection.union }];
    }),
  };
}

/** [layer][step], one number a neuron. */
function emptySums(): Float64Array[][] {
  return layers.map((layer) => Array.from({ length: tau }, () => new Float64Array(layer.in)));
}

/** One prompt: every call, and the image. */
async function observe(
  model: StableDiffusion,
  trajectory: TrajectoryKey,
  sums: Float64Array[][],
  counter: ReturnType<typeof noCalls>,
): Promise<void> {
  const [height, width] = model.unetConfig.sampleSize;
  const unit: DenoiseUnit = {
    kind: 'denoise',
    checkpoint: id,
    numerics: 'reference',
    graph: graphVersion,
    sampling: { ...sampling, height, width },
    trajectories: [trajectory],
    window: { from: 0, to: calls },
  };
  const supervision = { onPhase: () => undefined, signal: new AbortController().signal };
  const { partial, states } = await observeUnit(model, sessions, unit, ['ffn2'], undefined, counter, supervision);
  for (const [index, { name }] of partial.layers.entries())
    for (let step = 0; step < tau; step++) {
      const sum = sums[layers.findIndex((layer) => layer.name === name)]?.[step];
      for (const [j, value] of statisticOf(partial, index, step, 0).entries())
        if (sum !== undefined) sum[j] = (sum[j] ?? 0) + value;
    }
  const identity = { checkpoint: id, ...trajectory, sampling: { ...sampling, height, width } };
  const { latents } = decodeTrajectory(states[0] ?? new Uint8Array(), identity);
  await model.decode({ ...sampling, height, width }, [latents]);
}

function send(reply: ReferenceReply): void {
  process.send?.(reply);
}

process.on('message', (concept: Concept) => {
  run(concept).then(
    (found) => {
      send({ kind: 'run', run: found });
    },
    (error: unknown) => {
      send({ kind: 'failed', why: error instanceof Error ? error.message : String(error) });
    },
  );
});
process.on('disconnect', () => process.exit());
send({ kind: 'ready' });
