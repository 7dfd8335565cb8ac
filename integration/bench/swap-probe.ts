import { emojiSdDirectory } from '../../cli/default-checkpoint.ts';
import { checkpointId } from '../../shared/checkpoint/checkpoint-id.ts';
import { openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import type { PrunedWeights } from '../../shared/model/module.ts';
import { ParameterSource } from '../../shared/model/module.ts';
import type { MaskUse } from '../../worker/prune/pruning.ts';
import type { PreparedMask } from '../../worker/prune/prepared-mask.ts';
import { ServingModel } from '../../worker/prune/serving-model.ts';
import { SessionThread } from '../../worker/session/session-thread.ts';
import type { Bench } from './bench.ts';
import { ownMemory } from './memory.ts';
import { randomMask, randomSet, randomSets } from './swap-mask.ts';
import { guidedGraphOf, readWeights, sd15Config } from './synthetic-unet.ts';

/** Timesteps of PNDM's first ten calls of fifty. */
const scored = [981, 961, 961, 941, 921, 901, 881, 861, 841, 821];

/** Sets held beside the one in use, to see what one more takes. */
const more = 3;

/**
 * `swap-probe emoji-sd USE`: what masks held ready take in a serving model. `swap-probe FILE none|union|per-timestep`: what
 * the UNet of a file takes to load with a mask.
 */
export const swapProbe: Bench = {
  about: 'time and memory of masks held ready, in a process of its own',
  async run([what = 'emoji-sd', use = 'union']) {
    const json = what === 'emoji-sd' ? await servingMemory(use as MaskUse) : await loading(what, use);
    return { text: '', json, faults: [] };
  },
};

async function servingMemory(use: MaskUse): Promise<Readonly<Record<string, number>>> {
  const checkpoint = await openCheckpoint(emojiSdDirectory);
  const id = await checkpointId(checkpoint);
  const serving = await ServingModel.open(checkpoint, id, { provider: 'cpu', threads: 1 });
  const held: PreparedMask[] = [await serving.prepare(await randomMask(checkpoint, 0, scored), use)];
  const one = process.memoryUsage.rss();
  for (let i = 1; i <= more; i++) held.push(await serving.prepare(await randomMask(checkpoint, i, scored), use));
  const all = process.memoryUsage.rss();
  await Promise.all(held.map((each) => each.release()));
  await serving.close();
  return { resident: one, perSet: (all - one) / more };
}

async function loading(file: string, use: string): Promise<Readonly<Record<string, number>>> {
  const weights = await readWeights(file);
  const pruned: PrunedWeights =
    use === 'none'
      ? new Map()
      : new Map(
          [...randomSets(weights, 0)].map(([name, set]) => [
            name,
            use === 'union'
              ? { kind: 'always', set }
              : { kind: 'switched', sets: scored.map((_, i) => randomSet(set.rows, set.columns, 0.01, i)) },
          ]),
        );
  const start = performance.now();
  const thread = new SessionThread();
  await thread.open(guidedGraphOf(new ParameterSource(weights, pruned), sd15Config), { provider: 'cpu', threads: 1 });
  const loadSeconds = (performance.now() - start) / 1000;
  const { peakResident } = ownMemory();
  const resident = process.memoryUsage.rss();
  await thread.close();
  return { loadSeconds, peakResident, resident };
}
