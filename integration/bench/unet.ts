import { emojiSdDirectory } from '../../cli/default-checkpoint.ts';
import { table } from '../../cli/output/table.ts';
import { type Checkpoint, openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import { SessionThread } from '../../worker/session/session-thread.ts';
import { relativeError } from '../golden/result.ts';
import type { Bench } from './bench.ts';
import { countFlops, totalFlops } from '../../shared/model/graph/flops.ts';
import { guidedGraph, guidedInput, openLethe, openPlain } from './guided-call.ts';
import { figure, mebibytes, probe } from './memory.ts';
import { type Machine, thisMachine } from './machine.ts';
import { median, medianRatio, timePaired } from './paired.ts';
import { openSgemm } from './sgemm.ts';

/** One batch size on one number of threads. */
interface Measured {
  readonly threads: number;
  readonly trajectories: number;
  readonly rounds: number;
  /** Medians, milliseconds. */
  readonly letheMs: number;
  readonly plainMs: number;
  /** plain / Lethe: above 1 Lethe is faster. Median of the ratios within a round. */
  readonly ratio: number;
  readonly gflop: number;
  readonly gflopPerSecond: number;
  readonly sgemmGflopPerSecond: number;
  /** max |a-b| / max |b| of the two predictions. */
  readonly error: number;
}

const batches = [1, 4, 8];
/** Two sums of the same products in another order: seen 1e-6. */
const tolerance = 1e-4;
/** Calls of one trajectory's worth that each batch size is measured for, so that all take about as long. */
const callBudget = 120;

/** One guided UNet call of emoji-sd: Lethe's and that of PyTorch's own export, in turns. */
export const unetBench: Bench = {
  about: "a guided UNet call of emoji-sd against PyTorch's own export in the same runtime",
  async run() {
    const checkpoint = await openCheckpoint(emojiSdDirectory);
    const thread = new SessionThread();
    const measured: Measured[] = [];
    try {
      for (const threads of [1, 2]) measured.push(...(await measure(checkpoint, thread, threads)));
    } finally {
      await thread.close();
    }
    const most = String(batches.at(-1));
    const lethe = await probe('unet-probe', 'lethe', most);
    const plain = await probe('unet-probe', 'plain', most);
    const peak = { lethe: figure(lethe, 'peakResident'), plain: figure(plain, 'peakResident') };
    const machine = thisMachine();
    const memory = `peak memory of a process at ${most} trajectories: Lethe ${mebibytes(peak.lethe)} MiB, plain ${mebibytes(peak.plain)} MiB`;
    return {
      text: [formatTable(measured), '', memory, notes(machine)].join('\n'),
      json: { ...machine, measured, peakResidentBytes: peak },
      faults: measured
        .filter(({ error }) => !(error <= tolerance))
        .map(({ trajectories, error }) => `predictions of ${trajectories} trajectories differ by ${error}`),
    };
  },
};

async function measure(checkpoint: Checkpoint, thread: SessionThread, threads: number): Promise<readonly Measured[]> {
  const graph = guidedGraph(checkpoint);
  const lethe = await openLethe(checkpoint, thread, { provider: 'cpu', threads });
  const plain = await openPlain(checkpoint, threads);
  const sgemm = await openSgemm(threads);
  const measured: Measured[] = [];
  for (const trajectories of batches) {
    const input = guidedInput(checkpoint, trajectories);
    const rounds = Math.ceil(callBudget / (trajectories + 2));
    const subjects = [() => lethe.call(input), () => plain.call(input), () => sgemm.run()];
    const [own = [], other = [], product = []] = await timePaired(subjects, rounds, 3, () => performance.now());
    const flops = totalFlops(countFlops(graph, () => trajectories));
    measured.push({
      threads,
      trajectories,
      rounds,
      letheMs: 1000 * median(own),
      plainMs: 1000 * median(other),
      ratio: medianRatio(other, own),
      gflop: flops / 1e9,
      gflopPerSecond: flops / 1e9 / median(own),
      sgemmGflopPerSecond: sgemm.flops / 1e9 / median(product),
      error: relativeError(await lethe.call(input), await plain.call(input)),
    });
  }
  for (const each of [lethe, plain, sgemm]) await each.release();
  return measured;
}

function formatTable(measured: readonly Measured[]): string {
  const heading = 'threads,trajectories,Lethe ms,plain ms,plain/Lethe,GFLOP,GFLOP/s,sgemm GFLOP/s,of sgemm,error';
  const rows = measured.map((each) => [
    each.threads,
    each.trajectories,
    rounded(each.letheMs, 1),
    rounded(each.plainMs, 1),
    rounded(each.ratio, 3),
    rounded(each.gflop, 2),
    rounded(each.gflopPerSecond, 0),
    rounded(each.sgemmGflopPerSecond, 0),
    `${rounded((100 * each.gflopPerSecond) / each.sgemmGflopPerSecond, 0)} %`,
    each.error.toExponential(1),
  ]);
  return table([heading.split(','), ...rows]);
}

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

function notes({ cpu, cores, node }: Machine): string {
  return [
    `${cpu}, ${cores} cores, Node ${node}. Lethe, plain and sgemm took turns; times are medians, the ratio is the median of`,
    'the ratios within a round. GFLOP: products of the call that Lethe makes. Bound: GFLOP / sgemm GFLOP/s, the time of',
    'those products if each ran as one 1024×1024×1024 product does in this runtime. Lethe pays for crossing its session',
    'thread, the plain export runs on the calling thread.',
  ].join('\n');
}
