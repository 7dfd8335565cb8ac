import { join } from 'node:path';
import { readJsonFile } from '../../shared/checkpoint/json-file.ts';
import { openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { parseConfig } from '../../shared/model/config.ts';
import { concatenate, rowsOfTensor } from '../../worker/diffusion/rows.ts';
import { type PromptEmbedding, StableDiffusion } from '../../worker/diffusion/stable-diffusion.ts';
import type { SessionSettings } from '../../worker/session/protocol.ts';
import { SessionCache } from '../../worker/session/session-cache.ts';
import type { SessionThread } from '../../worker/session/session-thread.ts';
import { checkpointOf } from './checkpoint-directory.ts';
import { GoldenFile } from './golden-file.ts';
import { countDifferences, type GoldenResult, relativeError } from './result.ts';
import { type GoldenRun, goldenSettings } from './golden-run.ts';
import { checkTrajectory } from './trajectory-vectors.ts';
import { checkUNetCall } from './unet-vectors.ts';

/** One UNet call, one decoding, one text encoding. */
const tolerance = 1e-4;

/** Checks goldens.safetensors against its checkpoint. */
export async function* checkCheckpoint(
  directory: string,
  thread: SessionThread,
  session: SessionSettings,
): AsyncGenerator<GoldenResult> {
  const configPath = join(directory, 'goldens.json');
  const settings = parseConfig(goldenSettings, { config: await readJsonFile(configPath), configPath });
  const file = await GoldenFile.open(directory, 'goldens.safetensors');
  const checkpoint = await openCheckpoint(await checkpointOf(directory));
  const model = await StableDiffusion.open(checkpoint, new SessionCache(thread, session, 3));

  const prompts = [...settings.prompts, ''].map((prompt) => model.tokenizer.encode(prompt));
  const ids = await file.read('tokenizer.input_ids');
  const own = prompts.flatMap((prompt) => [...prompt.ids]);
  yield { name: 'tokenizer.input_ids', error: countDifferences(own, ids.data), tolerance: 0 };

  const texts = await model.encode(prompts);
  const empty = texts.at(-1) ?? new Float32Array();
  const run: GoldenRun = { model, file, settings, texts: texts.slice(0, -1), empty, thread, session };
  yield* checkTexts(run);
  for (const [name, timestep = ''] of file.names(/^unet\.out_t(\d+)$/))
    yield* checkUNetCall(run, name, Number(timestep));
  yield* checkDecoder(run);
  for (const [, scheduler = ''] of file.names(/^traj\.(\w+)\.latents$/)) yield* checkTrajectory(run, scheduler);
  file.requireAllRead();
}

async function* checkTexts({ file, texts, empty }: GoldenRun): AsyncGenerator<GoldenResult> {
  const compare = async (name: string, rows: readonly PromptEmbedding[]): Promise<GoldenResult> => {
    const expected = await file.read(name);
    return { name, error: relativeError(concatenate(rows), expected.data), tolerance };
  };
  yield await compare('text.hidden', texts);
  yield await compare(
    'text.negative',
    texts.map(() => empty),
  );
}

/** The decoder alone: the vector is of latents before the scaling factor, and of an image before clamping. */
async function* checkDecoder({ file, model }: GoldenRun): AsyncGenerator<GoldenResult> {
  const { shape, data } = await file.read('vae.latent');
  const [count = 1, , height = 1, width = 1] = shape;
  const latents = rowsOfTensor({ shape, data: Float32Array.from(data) }, count);
  const images = await model.decodeRaw(height, width, latents);
  const expected = await file.read('vae.decoded');
  yield { name: 'vae.decoded', error: relativeError(concatenate(images), expected.data), tolerance };
}
