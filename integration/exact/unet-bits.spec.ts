import { afterAll, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { parseUNetConfig } from '../../shared/model/family/unet/config.ts';
import { trajectories, unet, unetInputs } from '../../shared/model/family/unet/unet.ts';
import { graphOf } from '../../shared/model/graph/graph.ts';
import { Module, ParameterSource } from '../../shared/model/module.ts';
import { layersOf, sites } from '../../shared/model/site.ts';
import { linearInputs, tap } from '../../shared/model/tap.ts';
import { emojiSd } from '../../worker/diffusion/emoji-sd.spec-support.ts';
import { TorchGenerator } from '../../worker/diffusion/noise/torch-generator.ts';
import { concatenate, rowsOfTensor } from '../../worker/diffusion/rows.ts';
import { type Session, SessionThread } from '../../worker/session/session-thread.ts';

/** The promise that merging partials stands on: what a trajectory gives does not depend on what shares its batch. */
const thread = new SessionThread();
afterAll(() => thread.close());

const { unet: component } = await openCheckpoint(emojiSd);
const config = parseUNetConfig(component);
const [height, width] = config.sampleSize;
const tokens = 24;

/** Guided, with the statistic of every layer of every site of the UNet. */
async function open(threads: number): Promise<Session> {
  const root = new Module(new ParameterSource(component.weights));
  const prediction = unet(root, config, { height, width, tokens, rows: 2 });
  const inputs = linearInputs([prediction]);
  const layers = sites.filter((site) => site.component === 'unet').flatMap((site) => layersOf(site, component.weights));
  const taps = layers.flatMap(({ name }) => {
    const x = inputs.get(name);
    return x === undefined ? [] : tap(name, x, trajectories);
  });
  expect(taps).toHaveLength(28);
  return thread.open(graphOf('unet with taps', [prediction, ...taps]), { provider: 'cpu', threads });
}

const most = 8;
const generator = new TorchGenerator(1);
const samples = Array.from({ length: most }, () => generator.randn(config.inChannels * height * width));
const contexts = samples.map(() => generator.randn(2 * tokens * config.crossAttentionWidth));

/** Outputs of a call. @param rows of latents; the contexts of a trajectory are two rows in one */
async function call(session: Session, rows: readonly Float32Array[], context: readonly Float32Array[]) {
  const latents = [rows.length, config.inChannels, height, width];
  const embeddings = [2 * context.length, tokens, config.crossAttentionWidth];
  const outputs = await session.run({
    [unetInputs.sample]: { type: 'float32', shape: latents, data: concatenate(rows) },
    [unetInputs.timestep]: { type: 'float32', shape: [1], data: Float32Array.of(501) },
    [unetInputs.context]: { type: 'float32', shape: embeddings, data: concatenate(context) },
  });
  return [...outputs.values()];
}

/** Outputs of each trajectory of a batch, all of them one after another. */
async function run(session: Session, batch: readonly number[]): Promise<readonly Float32Array[]> {
  const pick = (all: readonly Float32Array[]) => batch.map((i) => all[i] ?? new Float32Array());
  const outputs = await call(session, pick(samples), pick(contexts));
  const parts = outputs.map((output) => rowsOfTensor(output, batch.length));
  return batch.map((_, place) => concatenate(parts.map((rows) => rows[place] ?? new Float32Array())));
}

it('a guided call has the bits of a call that runs both rows of every trajectory from the start', async () => {
  const graph = (rows: 1 | 2) =>
    graphOf('unet', [
      unet(new Module(new ParameterSource(component.weights)), config, { height, width, tokens, rows }),
    ]);
  const settings = { provider: 'cpu', threads: 1 } as const;
  const [guided, plain] = [await thread.open(graph(2), settings), await thread.open(graph(1), settings)];
  const batch = [0, 1, 2];
  const predict = async (session: Session, rows: readonly Float32Array[]): Promise<Float32Array> => {
    const outputs = await call(session, rows, contexts.slice(0, batch.length));
    return concatenate(outputs.map(({ data }) => data));
  };
  const once = batch.map((i) => samples[i]!);
  const twice = once.flatMap((sample) => [sample, sample]);
  const [found, expected] = [await predict(guided, once), await predict(plain, twice)];
  expect(expected.length).toBe(2 * batch.length * once[0]!.length);
  expect(Buffer.from(found.buffer).equals(Buffer.from(expected.buffer))).toBe(true);
});

describe('a trajectory’s prediction and statistics have the same bits', () => {
  it('at every batch size from 1 to 8, at every place, in any company, with one thread and with two', async () => {
    const [one, two] = [await open(1), await open(2)];
    const alone: Float32Array[] = [];
    for (let i = 0; i < most; i++) alone.push(...(await run(one, [i])));
    const batches = Array.from({ length: most }, (_, size) => {
      // Consecutive ones from another first one at each size, and the same trajectory over and over.
      const company = Array.from({ length: size + 1 }, (_, i) => (3 * size + i) % most);
      return [company, [...company].reverse(), company.map(() => size)];
    }).flat();
    for (const session of [one, two])
      for (const batch of batches)
        for (const [place, found] of (await run(session, batch)).entries()) {
          const expected = alone[batch[place] ?? 0];
          const same = Buffer.from(found.buffer).equals(Buffer.from(expected?.buffer ?? new ArrayBuffer()));
          expect(same, `batch [${batch.join()}], place ${place}, ${session === one ? 1 : 2} threads`).toBe(true);
        }
  });
});
