import { z } from 'zod';
import { join } from 'node:path';
import { checkpointId } from '../../shared/checkpoint/checkpoint-id.ts';
import { readJsonFile } from '../../shared/checkpoint/json-file.ts';
import { openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { parseConfig } from '../../shared/model/config.ts';
import type { SiteName } from '../../shared/model/site.ts';
import { type Partial, statisticOf } from '../../shared/statistics/partial.ts';
import { graphVersion, type ObservedUnit } from '../../shared/unit/unit.ts';
import { StableDiffusion } from '../../worker/diffusion/stable-diffusion.ts';
import { observeUnit } from '../../worker/observe/observe-unit.ts';
import { type CallCounter, noCalls } from '../../worker/observe/phase.ts';
import { unitKindOf } from '../../worker/observe/tapped-layers.ts';
import { SessionCache } from '../../worker/session/session-cache.ts';
import type { SessionThread } from '../../worker/session/session-thread.ts';
import { GoldenFile } from './golden-file.ts';

/** conceptprune-*.json, as far as norms need it. */
const settings = z.object({
  site: z.enum(['ffn2', 'ffn1', 'attn-key', 'attn-value', 'text']),
  base: z.array(z.string()),
  target: z.array(z.string()),
  tau: z.int(),
  num_inference_steps: z.int(),
  seeds: z.array(z.int()),
  guidance_scale: z.number(),
});

/** How the norms of one conceptprune-*.safetensors compare with those of observed units. */
export interface NormComparison {
  /** Norms compared: layers × steps × lists. */
  readonly vectors: number;
  /** The largest |a - b| of a layer and step, over that layer's and step's largest. */
  readonly error: number;
  readonly calls: CallCounter;
}

/**
 * Observes the prompts of `<directory>/conceptprune-<name>.json` as the reference runs them, sums over all prompts and
 * both guidance halves, and compares the square roots with `norm.base.*` and `norm.target.*`.
 */
export async function compareNorms(directory: string, name: string, thread: SessionThread): Promise<NormComparison> {
  const configPath = join(directory, `conceptprune-${name}.json`);
  const config = parseConfig(settings, { config: await readJsonFile(configPath), configPath });
  const file = await GoldenFile.open(directory, `conceptprune-${name}.safetensors`);
  const checkpoint = await openCheckpoint(join(directory, 'checkpoint'));
  const sessions = new SessionCache(thread, { provider: 'cpu', threads: 1 }, 3);
  const model = await StableDiffusion.open(checkpoint, sessions);
  const id = await checkpointId(checkpoint);
  const calls = noCalls();
  let [vectors, error] = [0, 0];
  for (const list of ['base', 'target'] as const) {
    const unit = unitOf(config, list, id, model);
    const supervision = { onPhase: () => undefined, signal: new AbortController().signal };
    const { partial } = await observeUnit(model, sessions, unit, [config.site], undefined, calls, supervision);
    for (const [vector, step = '', layer = ''] of file.names(new RegExp(`^norm\\.${list}\\.(\\d+)\\.(.+)$`))) {
      const expected = (await file.read(vector)).data;
      const own = normOf(partial, layer, Number(step));
      error = Math.max(error, relative(own, expected));
      vectors += 1;
    }
  }
  return { vectors, error, calls };
}

function unitOf(
  config: z.infer<typeof settings>,
  list: 'base' | 'target',
  id: string,
  model: StableDiffusion,
): ObservedUnit {
  const common = { checkpoint: id, numerics: 'golden', graph: graphVersion };
  const site: { name: SiteName; component: 'unet' | 'text_encoder' } = {
    name: config.site,
    component: config.site === 'text' ? 'text_encoder' : 'unet',
  };
  const prompts = config[list];
  // Under guidance every prompt is run beside the empty one, and both count.
  if (unitKindOf(site) === 'encode')
    return { kind: 'encode', ...common, prompts: prompts.flatMap((prompt) => ['', prompt]) };
  const [height, width] = model.unetConfig.sampleSize;
  const { num_inference_steps: steps, guidance_scale: guidance } = config;
  return {
    kind: 'denoise',
    ...common,
    sampling: { scheduler: 'pndm', steps, guidance, height, width },
    trajectories: prompts.map((prompt, i) => ({ prompt, seed: String(config.seeds[i] ?? 0) })),
    window: { from: 0, to: config.tau },
  };
}

function normOf(partial: Partial, layer: string, step: number): Float64Array {
  const index = partial.layers.findIndex(({ name }) => name === layer);
  const sum = new Float64Array(partial.layers[index]?.neurons ?? 0);
  for (let item = 0; item < partial.items; item++)
    for (const [j, value] of statisticOf(partial, index, step, item).entries()) sum[j] = (sum[j] ?? 0) + value;
  return sum.map(Math.sqrt);
}

function relative(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  const differences = Array.from(expected, (value, i) => Math.abs(value - (actual[i] ?? Infinity)));
  return Math.max(...differences) / Math.max(...Array.from(expected));
}
