import { availableParallelism, freemem, totalmem } from 'node:os';
import { checkpointId } from '../shared/checkpoint/checkpoint-id.ts';
import { openCheckpoint } from '../shared/checkpoint/open-checkpoint.ts';
import { LetheError } from '../shared/error/lethe-error.ts';
import { inspectCheckpoint } from '../worker/diffusion/inspect.ts';
import { StableDiffusion } from '../worker/diffusion/stable-diffusion.ts';
import type { SessionSettings } from '../worker/session/protocol.ts';
import { providerAdvice, providers } from '../worker/session/provider.ts';
import { SessionCache } from '../worker/session/session-cache.ts';
import { SessionThread } from '../worker/session/session-thread.ts';
import { emojiSdDirectory } from './default-checkpoint.ts';

/** One thing that was looked at. `next` says what to do about it, if anything. */
export interface Check {
  readonly name: string;
  readonly state: 'ok' | 'warning' | 'failed';
  readonly found: string;
  readonly next?: string;
}

/** Every check, as it is done; one that fails does not stop those that do not need it. */
export async function* doctorChecks(directory: string | undefined, settings: SessionSettings): AsyncGenerator<Check> {
  const { node } = process.versions;
  yield { name: 'node', state: 'ok', found: `${node} on ${process.platform} ${process.arch}` };
  yield memory();
  const thread = new SessionThread();
  try {
    const unusable = yield* providerChecks(thread);
    yield* checkpointChecks(directory ?? emojiSdDirectory, unusable ? undefined : thread, settings);
  } finally {
    await thread.close();
  }
}

function memory(): Check {
  const gigabytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  const found = `${availableParallelism()} cores, ${gigabytes(totalmem())} of memory, ${gigabytes(freemem())} free`;
  return { name: 'machine', state: 'ok', found };
}

/** Tries each provider this build knows on the smallest model. CPU has to work; the others are notes. True if none can. */
async function* providerChecks(thread: SessionThread): AsyncGenerator<Check, boolean> {
  const known = await thread.support().catch((error: unknown) => {
    if (error instanceof LetheError && error.code === 'runtime-unusable') return error;
    throw error;
  });
  if (known instanceof LetheError) {
    yield { name: 'onnxruntime', state: 'failed', found: known.message, next: known.next };
    return true;
  }
  for (const { provider: name } of known) {
    const provider = providers.find((each) => each === name);
    if (provider === undefined) continue;
    const problem = await thread.tryProvider(provider);
    yield problem === undefined
      ? { name: `provider ${provider}`, state: 'ok', found: 'runs' }
      : {
          name: `provider ${provider}`,
          state: provider === 'cpu' ? 'failed' : 'warning',
          found: `not available: ${problem.split('\n', 1)[0] ?? ''}`,
          next: providerAdvice[provider],
        };
  }
  return false;
}

/** Opens the checkpoint, reads all of it, and makes one UNet call where there is a thread that can. */
async function* checkpointChecks(
  directory: string,
  thread: SessionThread | undefined,
  settings: SessionSettings,
): AsyncGenerator<Check> {
  let name = 'checkpoint';
  try {
    const checkpoint = await openCheckpoint(directory);
    yield { name: 'checkpoint', state: 'ok', found: `${directory}, ${await checkpointId(checkpoint)}` };
    const { unsupported } = await inspectCheckpoint(checkpoint);
    for (const { what, why } of unsupported)
      yield { name: 'checkpoint', state: 'failed', found: `${what}: ${why}`, next: 'use another checkpoint' };
    if (unsupported.length > 0 || thread === undefined) return;

    name = 'UNet call';
    const model = await StableDiffusion.open(checkpoint, new SessionCache(thread, settings, 2));
    const [height, width] = model.unetConfig.sampleSize;
    const sampling = { scheduler: model.defaultScheduler, steps: 10, guidance: 2, height, width };
    const [empty = new Float32Array()] = await model.encode([model.tokenizer.encode('')]);
    const started = performance.now();
    const scheduler = model.scheduler(sampling);
    const start = [model.start(0, sampling, scheduler)];
    for await (const batch of model.denoise(sampling, scheduler, start, [empty], empty)) {
      const seconds = ((performance.now() - started) / 1000).toFixed(2);
      const count = batch[0]?.latents.length ?? 0;
      yield {
        name,
        state: 'ok',
        found: `${count} finite latents in ${seconds} s, with loading (${settings.provider})`,
      };
      break;
    }
  } catch (error) {
    if (!(error instanceof LetheError)) throw error;
    yield { name, state: 'failed', found: error.message, next: error.next };
  }
}
