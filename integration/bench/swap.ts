import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { emojiSdDirectory } from '../../cli/default-checkpoint.ts';
import { table } from '../../cli/output/table.ts';
import { checkpointId } from '../../shared/checkpoint/checkpoint-id.ts';
import { type Checkpoint, openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { encodeSafetensors } from '../../shared/checkpoint/write-safetensors.ts';
import { unetInputs } from '../../shared/model/family/unet/unet.ts';
import { graphOf } from '../../shared/model/graph/graph.ts';
import { input } from '../../shared/model/graph/value.ts';
import { gemm } from '../../shared/model/ops/product.ts';
import type { Sampling } from '../../shared/diffusion/sampling.ts';
import { ServingModel } from '../../worker/prune/serving-model.ts';
import type { Bench } from './bench.ts';
import { guidedGraph, guidedInput } from './guided-call.ts';
import { figure, mebibytes, probe } from './memory.ts';
import { median, medianRatio, timePaired } from './paired.ts';
import { randomMask, randomSet, randomSets } from './swap-mask.ts';
import { openSwap, SwapSource, swapWays } from './swap-ways.ts';
import { readWeights, sd15Config, writeRandomWeights } from './synthetic-unet.ts';

type Figures = Readonly<Record<string, Readonly<Record<string, number>>>>;

const timesteps = [981, 961, 941, 921, 901, 881, 861, 841, 821];
const clock = (): number => performance.now();

/** `swap [--sd15]`: ways to run a model with a mask, against the same model without. */
export const swapBench: Bench = {
  about: 'ways to swap masks: cost a call, a request and a swap; --sd15: loading at the size of Stable Diffusion 1.5',
  async run(parameters) {
    const checkpoint = await openCheckpoint(emojiSdDirectory);
    const calls = await callRatios(checkpoint);
    const layer = await layerRatios();
    const { requests, swapSeconds } = await serving(checkpoint);
    const memory: Figures = {
      union: numbers(await probe('swap-probe', 'emoji-sd', 'union')),
      'per-timestep': numbers(await probe('swap-probe', 'emoji-sd', 'per-timestep')),
    };
    const sd15 = parameters.includes('--sd15') ? await sd15Loading() : {};
    const text = [
      'guided call of emoji-sd, time over that without a mask',
      ratioTable('trajectories', calls),
      'product of a 1280×5120 layer, time over that without a mask',
      ratioTable('rows', layer),
      'request of one image, time over that without a mask',
      ratioTable('steps', requests),
      `seconds of a swap: ${Object.entries(swapSeconds)
        .map(([use, seconds]) => `${use} ${seconds.toFixed(2)}`)
        .join(', ')}`,
      ...Object.entries(memory).map(
        ([use, each]) => `${use}: ${mebibytes(figure(each, 'perSet'))} MiB a mask held ready`,
      ),
      ...Object.entries(sd15).map(
        ([use, each]) =>
          `SD 1.5-size UNet, ${use}: loaded in ${figure(each, 'loadSeconds').toFixed(1)} s, ${mebibytes(figure(each, 'peakResident'))} MiB at most, ${mebibytes(figure(each, 'resident'))} MiB after`,
      ),
    ].join('\n');
    return { text, json: { calls, layer, requests, swapSeconds, memory, sd15 }, faults: [] };
  },
};

async function callRatios(checkpoint: Checkpoint): Promise<Figures> {
  const { weights } = checkpoint.unet;
  const sets = randomSets(weights, 0);
  const sessions = [];
  for (const way of swapWays) {
    const source = new SwapSource(weights, sets, way);
    sessions.push(await openSwap(guidedGraph(checkpoint, source), source, 1));
  }
  const ratios: Record<string, Readonly<Record<string, number>>> = {};
  for (const trajectories of [1, 4, 8]) {
    const given = guidedInput(checkpoint, trajectories);
    const feeds = {
      [unetInputs.sample]: { shape: given.sampleShape, data: given.sample },
      [unetInputs.timestep]: { shape: [1], data: Float32Array.of(501) },
      [unetInputs.context]: { shape: given.contextShape, data: given.context },
    };
    const subjects = sessions.map((session) => () => session.run(feeds));
    ratios[trajectories] = againstFirst(await timePaired(subjects, Math.ceil(48 / trajectories), 2, clock));
  }
  await Promise.all(sessions.map((session) => session.release()));
  return ratios;
}

/** One product, as large as the largest of Stable Diffusion 1.5's ffn2. */
async function layerRatios(): Promise<Figures> {
  const [out, columns] = [1280, 5120];
  const folder = await mkdtemp(join(tmpdir(), 'lethe-bench-'));
  try {
    const file = join(folder, 'layer.safetensors');
    const data = Float32Array.from({ length: out * columns }, (_, i) => Math.sin(i));
    await writeFile(file, encodeSafetensors([{ name: 'w', shape: [out, columns], data }], {}));
    const weights = await readWeights(file);
    const sets = new Map([['w', randomSet(out, columns, 0.03, 0)]]);
    const sessions = [];
    for (const way of swapWays) {
      const source = new SwapSource(weights, sets, way);
      const x = input('x', { element: 'float', shape: ['rows', columns] });
      const graph = graphOf('layer', [gemm('layer', x, source.float('w', [out, columns]), undefined)]);
      sessions.push(await openSwap(graph, source, 1));
    }
    const ratios: Record<string, Readonly<Record<string, number>>> = {};
    for (const rows of [128, 512, 2048]) {
      const x = { shape: [rows, columns], data: Float32Array.from({ length: rows * columns }, (_, i) => Math.cos(i)) };
      const subjects = sessions.map((session) => () => session.run({ x }));
      ratios[rows] = againstFirst(await timePaired(subjects, 12, 2, clock));
    }
    await Promise.all(sessions.map((session) => session.release()));
    return ratios;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Whole images by a serving model, without a mask, with one, and with one that depends on the timestep. */
async function serving(checkpoint: Checkpoint): Promise<{ requests: Figures; swapSeconds: Record<string, number> }> {
  const model = await ServingModel.open(checkpoint, await checkpointId(checkpoint), { provider: 'cpu', threads: 1 });
  try {
    const mask = await randomMask(checkpoint, 0, timesteps);
    const swapSeconds: Record<string, number> = {};
    const none = await model.prepare(undefined);
    for (const use of ['union', 'per-timestep'] as const) {
      const seconds: number[] = [];
      for (let i = 0; i < 5; i++) {
        const start = clock();
        const prepared = await model.prepare(mask, use);
        seconds.push((clock() - start) / 1000);
        await prepared.release();
      }
      swapSeconds[use] = median(seconds);
    }
    const prepared = [none, await model.prepare(mask, 'union'), await model.prepare(mask, 'per-timestep')];
    const sampling: Sampling = { scheduler: 'pndm', steps: 20, guidance: 2.5, height: 16, width: 16 };
    const requests = [{ prompt: 'a picture of a cat', seed: 0n }];
    const subjects = prepared.map((each) => () => model.generate(each, sampling, requests, 1, () => undefined));
    const [without = [], union = [], perTimestep = []] = await timePaired(subjects, 6, 1, clock);
    const ratios = {
      none: median(without),
      union: medianRatio(union, without),
      perTimestep: medianRatio(perTimestep, without),
    };
    return { requests: { [sampling.steps]: ratios }, swapSeconds };
  } finally {
    await model.close();
  }
}

async function sd15Loading(): Promise<Figures> {
  const folder = await mkdtemp(join(tmpdir(), 'lethe-bench-'));
  try {
    const file = join(folder, 'unet.safetensors');
    await writeRandomWeights(file, sd15Config);
    const loaded: Record<string, Readonly<Record<string, number>>> = {};
    // The first one finds the file not yet in the page cache: it is run again.
    for (const use of ['none', 'union', 'per-timestep', 'none'])
      loaded[use] = numbers(await probe('swap-probe', file, use));
    return loaded;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Seconds of the first way, and of each other one its time over the first's in the same round. */
function againstFirst(seconds: readonly (readonly number[])[]): Readonly<Record<string, number>> {
  const [first = []] = seconds;
  return Object.fromEntries(
    swapWays.map((way, i) => [way, i === 0 ? median(first) : medianRatio(seconds[i] ?? [], first)]),
  );
}

function numbers(report: Readonly<Record<string, unknown>>): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(report).filter((each): each is [string, number] => typeof each[1] === 'number'),
  );
}

function ratioTable(heading: string, ratios: Figures): string {
  const ways = Object.keys(Object.values(ratios)[0] ?? {});
  const rows = Object.entries(ratios).map(([size, each]) => [
    size,
    ...ways.map((way, i) => (i === 0 ? `${(1000 * (each[way] ?? NaN)).toFixed(1)} ms` : (each[way] ?? NaN).toFixed(2))),
  ]);
  return `${table([[heading, ...ways], ...rows])}\n`;
}
