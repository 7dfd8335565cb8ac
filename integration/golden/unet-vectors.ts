import { unet, trajectories, unetInputs } from '../../shared/model/family/unet/unet.ts';
import { graphOf } from '../../shared/model/graph/graph.ts';
import { Module, ParameterSource } from '../../shared/model/module.ts';
import { linearInputs, tap } from '../../shared/model/tap.ts';
import { concatenate } from '../../worker/diffusion/rows.ts';
import type { GoldenRun } from './golden-run.ts';
import { type GoldenResult, relativeError } from './result.ts';

/** One UNet call, and the statistic of one layer's inputs in it. */
const tolerance = 1e-4;

/** Checks `unet.out_t<timestep>`, an unguided call on `unet.sample`, and every `unet.ffn.<layer>.sumsq` of that call. */
export async function* checkUNetCall(run: GoldenRun, name: string, timestep: number): AsyncGenerator<GoldenResult> {
  const { file, model, texts } = run;
  const sample = await file.read('unet.sample');
  const [count = 1, , height = 1, width = 1] = sample.shape;
  const tokens = model.tokenizer.maxLength;
  const root = new Module(new ParameterSource(model.checkpoint.unet.weights));
  const prediction = unet(root, model.unetConfig, { height, width, tokens, rows: 1 });
  const inputs = linearInputs([prediction]);
  const vectors = file.names(/^unet\.ffn\.(.+)\.sumsq$/).map(([vector, layer = '']) => {
    const input = inputs.get(layer);
    return { vector, statistic: input === undefined ? undefined : tap(layer, input, trajectories) };
  });

  const taps = vectors.flatMap(({ statistic }) => statistic ?? []);
  const session = await run.thread.open(graphOf('unet with taps', [prediction, ...taps]), run.session);
  const outputs = await session.run({
    [unetInputs.sample]: { type: 'float32', shape: sample.shape, data: Float32Array.from(sample.data) },
    [unetInputs.timestep]: { type: 'float32', shape: [1], data: Float32Array.of(timestep) },
    [unetInputs.context]: {
      type: 'float32',
      shape: [count, tokens, model.unetConfig.crossAttentionWidth],
      data: concatenate(texts.slice(0, count)),
    },
  });
  await session.dispose();

  const error = async (vector: string, output: string): Promise<number> =>
    relativeError(outputs.get(output)?.data ?? [], (await file.read(vector)).data);
  yield { name, error: await error(name, prediction.name), tolerance };
  for (const { vector, statistic } of vectors)
    yield { name: vector, error: await error(vector, statistic?.name ?? ''), tolerance };
}
