import { cpus } from 'node:os';
import { emojiSdDirectory } from '../../cli/default-checkpoint.ts';
import { table } from '../../cli/output/table.ts';
import { type Checkpoint, openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import type { SessionSettings } from '../../worker/session/protocol.ts';
import { type Provider, providers } from '../../worker/session/provider.ts';
import { SessionThread } from '../../worker/session/session-thread.ts';
import { countDifferences, relativeError } from '../golden/result.ts';
import type { Bench } from './bench.ts';
import { guidedInput, openLethe } from './guided-call.ts';
import { thisMachine } from './machine.ts';
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

/** A provider that this machine cannot use, or not at every batch size. */
interface Unusable {
  readonly provider: string;
  readonly why: string;
}

const batches = [1, 8, 32, 128];
/** Trajectories that each batch size is measured for, so that small ones are called more often. */
const trajectoryBudget = 96;
/** A median needs three. */
const leastRounds = 3;
/** Wide enough for what WebGPU does on an H100, 1e-3 at 32 trajectories and 128, the cause of which is not known. */
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
      const failed: Unusable[] = [];
      for (const settings of usable)
        try {
          for await (const each of measure(checkpoint, thread, settings, reference)) measured.push(each);
        } catch (error) {
          // Such as too little memory for a large batch: what the others do, and the smaller batches, is still worth reading.
          if (!(error instanceof LetheError)) throw error;
          const { provider, threads } = settings;
          const done = measured.filter((each) => each.provider === provider && each.threads === threads).length;
          const next = batches[done] ?? 'more';
          failed.push({ provider, why: `with ${threads} threads at ${next} trajectories: ${error.message}` });
        }
      const left = [...unusable, ...failed];
      const machine = thisMachine();
      return {
        text: [
          formatTable(measured),
          '',
          ...left.map(({ provider, why }) => `${provider}: not measured: ${why}`),
          `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}.`,
        ].join('\n'),
        json: { ...machine, measured, unusable: left },
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
  const known = new Set((await thread.support()).map(({ provider }) => provider));
  const wanted = named.length === 0 ? providers.filter((each) => known.has(each)) : named.map(providerNamed);
  const usable: SessionSettings[] = [];
  const unusable: Unusable[] = [];
  for (const provider of wanted) {
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

async function* measure(
  checkpoint: Checkpoint,
  thread: SessionThread,
  settings: SessionSettings,
  reference: ReadonlyMap<number, Float32Array>,
): AsyncGenerator<Measured, void> {
  const unet = await openLethe(checkpoint, thread, settings);
  try {
    for (const trajectories of batches) {
      const input = guidedInput(checkpoint, trajectories);
      const rounds = Math.max(leastRounds, Math.ceil(trajectoryBudget / trajectories));
      const [times = []] = await timePaired([() => unet.call(input)], rounds, 1, () => performance.now());
      const prediction = await unet.call(input);
      const again = await unet.call(input);
      yield {
        ...settings,
        trajectories,
        rounds,
        ms: 1000 * median(times),
        error: relativeError(prediction, reference.get(trajectories) ?? new Float32Array()),
        repeats: countDifferences(again, prediction) === 0,
      };
    }
  } finally {
    // What comes next is measured in the same thread.
    await unet.release();
  }
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
