import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkpointId } from '../../shared/checkpoint/checkpoint-id.ts';
import { emojiSd, openModel } from '../../worker/diffusion/emoji-sd.spec-support.ts';
import type { Sampling } from '../../shared/diffusion/sampling.ts';
import { schedulerNames } from '../../shared/model/scheduler-name.ts';
import type { PromptEmbedding, StableDiffusion } from '../../worker/diffusion/stable-diffusion.ts';
import { encodeTrajectory } from '../../worker/diffusion/trajectory-state.ts';
import type { Trajectory } from '../../worker/diffusion/trajectory.ts';
import { SessionThread } from '../../worker/session/session-thread.ts';
import type { ContinueRequest } from './continue-trajectory.ts';

const prompts = ['a red apple, Ink', 'a picture of a farmer', 'an owl'];
const seeds = [3, 4, 5];

const thread = new SessionThread();
let model: StableDiffusion;
let checkpoint: string;
let texts: readonly PromptEmbedding[];
let empty: PromptEmbedding;
let folder: string;
beforeAll(async () => {
  model = await openModel(thread);
  checkpoint = await checkpointId(model.checkpoint);
  [empty = new Float32Array(), ...texts] = await model.encode(
    ['', ...prompts].map((text) => model.tokenizer.encode(text)),
  );
  folder = await mkdtemp(join(tmpdir(), 'lethe-trajectory-'));
});
afterAll(async () => {
  await thread.close();
  await rm(folder, { recursive: true });
});

async function continueElsewhere(batches: ContinueRequest['batches']): Promise<void> {
  const request = join(folder, 'request.json');
  await writeFile(request, JSON.stringify({ checkpoint: emojiSd, batches } satisfies ContinueRequest));
  await promisify(execFile)(process.execPath, [
    join('dist', 'integration', 'exact', 'continue-trajectory.js'),
    request,
  ]);
}

describe.each(schedulerNames)('a trajectory of %s', (scheduler) => {
  it('stopped at any step, stored, and continued in another process and other company has the same bits', async () => {
    const sampling: Sampling = { scheduler, steps: 8, guidance: 2.5, height: 16, width: 16 };
    const made = model.scheduler(sampling);
    // Every state of every trajectory, the first before any call, all three in one batch.
    const states: (readonly Trajectory[])[] = [seeds.map((seed) => model.start(seed, sampling, made))];
    for await (const batch of model.denoise(sampling, made, states[0] ?? [], texts, empty)) states.push(batch);
    expect(states).toHaveLength(made.timesteps.length + 1);

    const identityOf = (i: number) => ({ checkpoint, prompt: prompts[i] ?? '', seed: String(seeds[i]), sampling });
    const bytesOf = (state: Trajectory, i: number) => encodeTrajectory(state, identityOf(i));
    const batches: ContinueRequest['batches'][number][] = [];
    for (const [step, batch] of states.slice(0, -1).entries()) {
      const trajectories = await Promise.all(
        batch.map(async (state, i) => {
          const file = join(folder, `${scheduler}.${step}.${i}`);
          await writeFile(file, bytesOf(state, i));
          return { ...identityOf(i), file };
        }),
      );
      // Split and regrouped differently at every step: alone and a pair, in turns.
      const alone = step % 3;
      batches.push({ sampling, trajectories: trajectories.filter((_, i) => i === alone) });
      batches.push({ sampling, trajectories: trajectories.filter((_, i) => i !== alone).reverse() });
    }
    await continueElsewhere(batches);

    const end = states.at(-1)?.map((state, i) => Buffer.from(bytesOf(state, i))) ?? [];
    for (let step = 0; step < states.length - 1; step++)
      for (const [i, expected] of end.entries()) {
        const found = await readFile(join(folder, `${scheduler}.${step}.${i}.end`));
        expect(found.equals(expected), `stopped at step ${step}, trajectory ${i}`).toBe(true);
      }
  });
});
