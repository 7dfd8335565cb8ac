import { clipTextInputs } from '../../shared/model/family/clip/clip-text.ts';
import type { SiteName } from '../../shared/model/site.ts';
import { partialLength, type Partial } from '../../shared/statistics/partial.ts';
import { type EncodeUnit, unitHash } from '../../shared/unit/unit.ts';
import type { StableDiffusion } from '../diffusion/stable-diffusion.ts';
import type { SessionCache } from '../session/session-cache.ts';
import { collectSums } from './collect-sums.ts';
import type { CallCounter, Supervision } from './phase.ts';
import { requireRunning } from './stopped.ts';
import { textSweep } from './sweep-graph.ts';
import { tappedLayers } from './tapped-layers.ts';

/** The statistics of an encode unit: one pass through the text encoder, one item a prompt. */
export async function observeEncode(
  model: StableDiffusion,
  sessions: SessionCache,
  unit: EncodeUnit,
  sites: readonly SiteName[],
  counter: CallCounter,
  supervision: Supervision,
): Promise<Partial> {
  const layers = tappedLayers(model, unit.kind, sites);
  const sweep = textSweep(model, layers);
  const items = unit.prompts.length;
  const length = model.tokenizer.maxLength;
  const ids = new Int32Array(items * length);
  for (const [i, prompt] of unit.prompts.entries()) ids.set(model.tokenizer.encode(prompt).ids, i * length);

  requireRunning(supervision, { kind: 'loading' });
  const key = `${model.checkpoint.directory} text sums ${[...new Set(sweep.sums)].join(' ')}`;
  return sessions.use(
    key,
    () => sweep.graph,
    async (session) => {
      requireRunning(supervision, { kind: 'encoding' });
      counter.prompts += items;
      const outputs = await session.run({
        [clipTextInputs.ids]: { type: 'int32', shape: [items, length], data: ids },
      });
      const values = new Float32Array(partialLength(layers, 1, items));
      collectSums(outputs, sweep, layers, items, undefined, values);
      return { unit: unitHash(unit), layers, steps: 1, items, values };
    },
  );
}
