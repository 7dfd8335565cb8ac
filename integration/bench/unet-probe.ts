import { emojiSdDirectory } from '../../cli/default-checkpoint.ts';
import { openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { SessionThread } from '../../worker/session/session-thread.ts';
import type { Bench } from './bench.ts';
import { guidedInput, openLethe, openPlain } from './guided-call.ts';
import { ownMemory } from './memory.ts';

/** `unet-probe lethe|plain TRAJECTORIES`: memory of a process that makes guided calls and nothing else. */
export const unetProbe: Bench = {
  about: 'memory of guided calls in a process of its own',
  async run([kind, trajectories]) {
    const checkpoint = await openCheckpoint(emojiSdDirectory);
    const thread = new SessionThread();
    const model =
      kind === 'plain'
        ? await openPlain(checkpoint, 1)
        : await openLethe(checkpoint, thread, { provider: 'cpu', threads: 1 });
    const input = guidedInput(checkpoint, Number(trajectories));
    for (let call = 0; call < 3; call++) await model.call(input);
    const memory = ownMemory();
    await model.release();
    await thread.close();
    return { text: '', json: { ...memory }, faults: [] };
  },
};
