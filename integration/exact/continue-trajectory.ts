/**
 * Continues stored trajectories in a process of its own: `node continue-trajectory.js FILE` reads what
 * `ContinueRequest` says, makes every UNet call that is left and writes the states after the last one.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { checkpointId } from '../../shared/checkpoint/checkpoint-id.ts';
import { openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import type { Sampling } from '../../shared/diffusion/sampling.ts';
import { StableDiffusion } from '../../worker/diffusion/stable-diffusion.ts';
import { decodeTrajectory, encodeTrajectory } from '../../worker/diffusion/trajectory-state.ts';
import { SessionCache } from '../../worker/session/session-cache.ts';
import { SessionThread } from '../../worker/session/session-thread.ts';

/** Batches to continue, one after the other, each of trajectories at one step. */
export interface ContinueRequest {
  readonly checkpoint: string;
  readonly batches: readonly {
    readonly sampling: Sampling;
    readonly trajectories: readonly {
      readonly prompt: string;
      readonly seed: string;
      /** Where its state is; the state after the last call is written beside it, with `.end` appended. */
      readonly file: string;
    }[];
  }[];
}

const [, , requestFile = ''] = process.argv;
const { checkpoint: directory, batches } = JSON.parse(await readFile(requestFile, 'utf8')) as ContinueRequest;
const thread = new SessionThread();
try {
  const checkpoint = await openCheckpoint(directory);
  const id = await checkpointId(checkpoint);
  const model = await StableDiffusion.open(checkpoint, new SessionCache(thread, { provider: 'cpu', threads: 1 }, 2));
  const [empty = new Float32Array()] = await model.encode([model.tokenizer.encode('')]);
  for (const { sampling, trajectories } of batches) {
    const identities = trajectories.map(({ prompt, seed }) => ({ checkpoint: id, prompt, seed, sampling }));
    const texts = await model.encode(trajectories.map(({ prompt }) => model.tokenizer.encode(prompt)));
    let batch = await Promise.all(
      identities.map(async (identity, i) => decodeTrajectory(await readFile(trajectories[i]?.file ?? ''), identity)),
    );
    for await (const next of model.denoise(sampling, model.scheduler(sampling), batch, texts, empty)) batch = [...next];
    for (const [i, identity] of identities.entries()) {
      const end = batch[i];
      if (end !== undefined) await writeFile(`${trajectories[i]?.file ?? ''}.end`, encodeTrajectory(end, identity));
    }
  }
} finally {
  await thread.close();
}
