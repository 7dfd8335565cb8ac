import { table } from '../../cli/output/table.ts';
import { median, medianRatio } from './paired.ts';
import { styles, tau } from './sweep-campaign.ts';
import type { MaskTally } from './sweep-compare.ts';
import type { SweepRun } from './sweep-lethe.ts';
import type { ReferenceRun } from './sweep-reference.ts';

/** UNet calls of a trajectory in the reference procedure: 50 PNDM steps. */
const referenceCalls = 51;

/** Seconds of what was run, in the order it was run. */
export interface Measured {
  readonly pairs: number;
  /** One concept each: the reference procedure, and right after it a sweep of the same concept. */
  readonly reference: readonly ReferenceRun[];
  readonly one: readonly SweepRun[];
  /** All concepts in one sweep, by one worker and by two. */
  readonly ten: readonly SweepRun[];
  readonly tenByTwo: readonly SweepRun[];
  readonly tally: MaskTally;
}

/** The figures. */
export function figuresOf({ reference, one, ten, tenByTwo, tally }: Measured) {
  const load = reference[0]?.loadSeconds ?? NaN;
  // The process loads its models with its first concept; a concept by itself would load them every time.
  const alone = reference.map(({ seconds, loadSeconds }) => seconds - loadSeconds + load);
  const all = reference.reduce((sum, { seconds }) => sum + seconds, 0);
  const seconds = (runs: readonly SweepRun[]) => runs.map((each) => each.seconds);
  return {
    speedup1: medianRatio(alone, seconds(one)),
    speedup10: all / median(seconds(ten)),
    scaling2: medianRatio(seconds(ten), seconds(tenByTwo)),
    identicalMasks: tally.passed,
  };
}

/** What the figures are made of. */
export function partsOf({ reference, one, ten, tenByTwo, tally }: Measured) {
  const sweeps = (runs: readonly SweepRun[]) => ({
    seconds: runs.map(({ seconds }) => seconds),
    unetCalls: runs.map(({ unetCalls }) => unetCalls.counted),
    again: runs.map(({ again }) => again),
  });
  return {
    reference: {
      seconds: reference.map(({ seconds }) => seconds),
      loadSeconds: reference[0]?.loadSeconds,
      unetCalls: reference.map(({ unetCalls }) => unetCalls),
      images: reference.map(({ images }) => images),
    },
    oneStyle: sweeps(one),
    tenStyles: sweeps(ten),
    tenStylesByTwoWorkers: sweeps(tenByTwo),
    masks: tally,
  };
}

export function faultsOf({ pairs, reference, one, ten, tenByTwo, tally }: Measured): readonly string[] {
  const faults: string[] = [];
  const expect = (what: string, found: number, expected: number): void => {
    if (found !== expected) faults.push(`${what}: ${found} UNet calls, and it has to be ${expected}`);
  };
  for (const { unetCalls } of reference) expect('the reference procedure', unetCalls, 2 * pairs * referenceCalls);
  for (const { runs, cohorts } of [
    { runs: one, cohorts: 2 },
    { runs: [...ten, ...tenByTwo], cohorts: styles.length + 1 },
  ])
    for (const { unetCalls, again } of runs) {
      expect('a plan', unetCalls.planned, tau * pairs * cohorts);
      expect('a sweep', unetCalls.counted, tau * pairs * cohorts);
      expect('a sweep with another skill_ratio', again.unetCalls, 0);
    }
  if (!tally.passed)
    faults.push(`masks differ from the reference procedure's: ${tally.wrong} wrong bits, norms by ${tally.normError}`);
  return faults;
}

export function textOf(
  measured: Measured,
  figures: ReturnType<typeof figuresOf> & { readonly rescoreSeconds: number },
  machine: { readonly cpu: string; readonly cores: number; readonly load: number },
): string {
  const { pairs, reference, one, ten, tenByTwo, tally } = measured;
  const range = (values: readonly number[]) => {
    const [least, most] = [Math.min(...values), Math.max(...values)];
    return `${least.toFixed(1)}-${most.toFixed(1)}`;
  };
  const row = (what: string, runs: readonly { readonly seconds: number }[], calls: number) => {
    const seconds = runs.map((each) => each.seconds);
    return [what, runs.length, calls, Number(median(seconds).toFixed(2)), range(seconds)];
  };
  const all = reference.reduce((sum, { seconds }) => sum + seconds, 0);
  const runs = table([
    ['what', 'runs', 'UNet calls', 'median s', 'least-most s'],
    row('reference procedure, a style', reference, reference[0]?.unetCalls ?? 0),
    ['reference procedure, 10 styles', 1, 10 * (reference[0]?.unetCalls ?? 0), Number(all.toFixed(2)), ''],
    row('sweep, 1 style, 1 worker', one, one[0]?.unetCalls.counted ?? 0),
    row('sweep, 10 styles, 1 worker', ten, ten[0]?.unetCalls.counted ?? 0),
    row('sweep, 10 styles, 2 workers', tenByTwo, tenByTwo[0]?.unetCalls.counted ?? 0),
    row(
      'second sweep, another skill_ratio, 10 styles',
      [...ten, ...tenByTwo].map(({ again }) => again),
      ten[0]?.again.unetCalls ?? 0,
    ),
  ]);
  const bounds = table([
    ['figure', 'found', 'bound'],
    ['speedup1', Number(figures.speedup1.toFixed(2)), 'at least 5'],
    ['speedup10', Number(figures.speedup10.toFixed(2)), 'at least 9'],
    ['scaling2', Number(figures.scaling2.toFixed(2)), 'at least 1.7'],
    ['rescoreSeconds', Number(figures.rescoreSeconds.toFixed(2)), 'at most 1.5'],
    ['identicalMasks', String(figures.identicalMasks), 'true'],
  ]);
  const notes = [
    `${machine.cpu}, ${machine.cores} cores, load average ${machine.load.toFixed(1)} at the end; ${pairs} pairs of prompts a style, one thread a worker.`,
    'Seconds: the reference from prompts to masks in a process of its own; a sweep from submission to the last mask, NATS,',
    'coordinator and workers running, the store empty. On both sides models are loaded within these seconds; starting',
    `processes is on neither. All ten styles of the reference were run; its models were loaded once (${(reference[0]?.loadSeconds ?? NaN).toFixed(2)} s), which`,
    'speedup1 adds to each style. A sweep of a style was run right after the reference had run that style: speedup1 is the',
    'median of these ratios. speedup10 is the sum of the reference over the median sweep of ten. Units are of 8 trajectories',
    'for one style, of 6 for ten.',
    `Masks: ${tally.masks} compared, ${tally.set} bits set, ${tally.tied} tied, ${tally.wrong} wrong; norms within ${tally.normError.toExponential(1)}.`,
  ];
  return [bounds, '', runs, '', ...notes].join('\n');
}
