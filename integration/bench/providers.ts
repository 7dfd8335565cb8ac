import { cpus } from 'node:os';
import { emojiSdDirectory } from '../../cli/default-checkpoint.ts';
import { table } from '../../cli/output/table.ts';
import { type Checkpoint, openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import type { SessionSettings } from '../../worker/session/protocol.ts';
import { type Provider, providers } from '../../worker/session/provider.ts';
import { SessionThread } from '../../worker/session/session-thread.ts';
import { relativeError } from '../golden/result.ts';
import type { Bench } from './bench.ts';
import { guidedInput, openLethe } from './guided-call.ts';
import { median, timePaired } from './paired.ts';

/** One provider at one batch size. */
interface Measured {
  readonly provider: string;
  readonly threads: number;
  readonly trajectories: number;
  readonly rounds: number;
  /** Median of a guided call, milliseconds. */
  readonly ms: number;
  /** max |a-b| / max |b| against one CPU thread. */
  readonly error: number;
  /** A second call with the same input gave the same bits. */
  readonly repeats: boolean;
}

/** A provider that this build knows and this machine cannot use. */
interface Unusable {
  readonly provider: string;
  readonly why: string;
}

const batches = [1, 8, 32, 128];
/** Trajectories that each batch size is measured for, so that small ones are called more often. */
const trajectoryBudget = 384;
/** GPU kernels sum in another order: seen on an H100 through Vulkan were 2e-6 in small batches and 1e-3 in large ones. */
const tolerance = 1e-2;

/** A guided UNet call of emoji-sd on every execution provider that this machine can use. */
export const providersBench: Bench = {
  about: 'a guided UNet call of emoji-sd on every execution provider of this machine, or on those named',
  async run(named) {
    const checkpoint = await openCheckpoint(emojiSdDirectory);
    const thread = new SessionThread();
    try {
      const { usable, unusable } = await providersHere(thread, named);
      const reference = await predictions(checkpoint, thread);
      const measured: Measured[] = [];
      for (const settings of usable) measured.push(...(await measure(checkpoint, thread, settings, reference)));
      const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version };
      return {
        text: [
          formatTable(measured),
          '',
          ...unusable.map(({ provider, why }) => `${provider}: not measured: ${why}`),
          `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}.`,
        ].join('\n'),
        json: { ...machine, measured, unusable },
        faults: measured
          .filter(({ error }) => !(error <= tolerance))
          .map(
            (each) => `predictions of ${each.provider} at ${each.trajectories} trajectories differ by ${each.error}`,
          ),
      };
    } finally {
      await thread.close();
    }
  },
};

async function providersHere(
  thread: SessionThread,
  named: readonly string[],
): Promise<{ readonly usable: readonly SessionSettings[]; readonly unusable: readonly Unusable[] }> {
  const wanted = named.length === 0 ? providers : named.map(providerNamed);
  const known = new Set((await thread.support()).map(({ provider }) => provider));
  const usable: SessionSettings[] = [];
  const unusable: Unusable[] = [];
  for (const provider of wanted.filter((each) => named.length > 0 || known.has(each))) {
    const why = await thread.tryProvider(provider);
    if (why !== undefined) unusable.push({ provider, why: why.split('\n')[0] ?? why });
    else {
      usable.push({ provider, threads: 1 });
      if (provider === 'cpu' && cpus().length > 1) usable.push({ provider, threads: cpus().length });
    }
  }
  return { usable, unusable };
}

function providerNamed(name: string): Provider {
  const provider = providers.find((each) => each === name);
  if (provider !== undefined) return provider;
  throw new LetheError('usage', {
    what: `there is no provider ${name}`,
    why: `there are ${providers.join(', ')}`,
    next: 'npm run bench -- providers [NAME...]',
  });
}

/** What one CPU thread predicts, by batch size. */
async function predictions(checkpoint: Checkpoint, thread: SessionThread): Promise<ReadonlyMap<number, Float32Array>> {
  const unet = await openLethe(checkpoint, thread, { provider: 'cpu', threads: 1 });
  const found = new Map<number, Float32Array>();
  for (const each of batches) found.set(each, await unet.call(guidedInput(checkpoint, each)));
  await unet.release();
  return found;
}

async function measure(
  checkpoint: Checkpoint,
  thread: SessionThread,
  settings: SessionSettings,
  reference: ReadonlyMap<number, Float32Array>,
): Promise<readonly Measured[]> {
  const unet = await openLethe(checkpoint, thread, settings);
  const measured: Measured[] = [];
  for (const trajectories of batches) {
    const input = guidedInput(checkpoint, trajectories);
    const rounds = Math.max(3, Math.ceil(trajectoryBudget / trajectories / 4));
    const [times = []] = await timePaired([() => unet.call(input)], rounds, 1, () => performance.now());
    const prediction = await unet.call(input);
    const again = await unet.call(input);
    measured.push({
      ...settings,
      trajectories,
      rounds,
      ms: 1000 * median(times),
      error: relativeError(prediction, reference.get(trajectories) ?? new Float32Array()),
      repeats: prediction.every((value, i) => Object.is(value, again[i])),
    });
  }
  await unet.release();
  return measured;
}

function formatTable(measured: readonly Measured[]): string {
  const heading = ['provider', 'threads', 'trajectories', 'ms', 'trajectories/s', 'error', 'same bits again'];
  const rows = measured.map(({ provider, threads, trajectories, ms, error, repeats }) => [
    provider,
    threads,
    trajectories,
    Number(ms.toFixed(1)),
    Math.round((1000 * trajectories) / ms),
    error.toExponential(1),
    repeats ? 'yes' : 'no',
  ]);
  return table([heading, ...rows]);
}
