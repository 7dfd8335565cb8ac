import { cpus, loadavg } from 'node:os';
import { emojiSdDirectory } from '../../cli/default-checkpoint.ts';
import { table } from '../../cli/output/table.ts';
import { parseCampaign } from '../../coordinator/plan/parse-campaign.ts';
import { openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import type { Bench } from './bench.ts';
import { figure } from './memory.ts';
import { median, medianRatio } from './paired.ts';
import { rescoreBench } from './rescore.ts';
import { campaignText, mostPairs, styles, tau } from './sweep-campaign.ts';
import { emptyTally, type MaskTally, tallyMask } from './sweep-compare.ts';
import { sweep, type SweepRun } from './sweep-lethe.ts';
import { ReferenceProcess, type ReferenceRun } from './sweep-reference.ts';

const skillRatio = 0.01;
/** Of the second sweep, which finds everything stored. */
const otherRatio = 0.02;
/** UNet calls of a trajectory in the reference procedure: 50 PNDM steps. */
const referenceCalls = 51;
const defaultPairs = 8;
/** Sweeps of all styles, by one worker and by two, are run after so many of the reference's concepts. */
const roundsAfter = [3, 6, 10];

/** Seconds of what was run, in the order it was run. */
interface Measured {
  readonly pairs: number;
  /** One concept each: the reference procedure, and right after it a sweep of the same concept. */
  readonly reference: readonly ReferenceRun[];
  readonly one: readonly SweepRun[];
  /** All concepts in one sweep, by one worker and by two. */
  readonly ten: readonly SweepRun[];
  readonly tenByTwo: readonly SweepRun[];
  readonly tally: MaskTally;
}

/** `sweep [--pairs N]`: a sweep by a real fleet against the reference procedure. */
export const sweepBench: Bench = {
  about: 'sweeps of one style and of ten by a real fleet against the reference procedure; two workers against one',
  async run(parameters) {
    const asked = Number(parameters[parameters.indexOf('--pairs') + 1]);
    const pairs = parameters.includes('--pairs') ? Math.min(Math.max(1, Math.trunc(asked)), mostPairs) : defaultPairs;
    const measured = await measure(pairs);
    const rescore = await rescoreBench.run([]);
    const figures = { ...figuresOf(measured), rescoreSeconds: figure(rescore.json, 'rescoreSeconds') };
    const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, load: loadavg()[0] ?? NaN };
    return {
      text: textOf(measured, figures, machine),
      json: { ...figures, ...machine, pairs, ...partsOf(measured) },
      faults: faultsOf(measured),
    };
  },
};

async function measure(pairs: number): Promise<Measured> {
  const checkpoint = await openCheckpoint(emojiSdDirectory);
  const settings = { skillRatio, selection: 'reference', margin: 1, selectRatio: 0 } as const;
  const run = (workers: number, named: readonly string[]): Promise<SweepRun> =>
    sweep(workers, campaignText(named, pairs, skillRatio), campaignText(named, pairs, otherRatio));
  const [reference, one, ten, tenByTwo]: [ReferenceRun[], SweepRun[], SweepRun[], SweepRun[]] = [[], [], [], []];
  const procedure = await ReferenceProcess.start();
  try {
    for (const concept of parseCampaign(campaignText(styles, pairs, skillRatio), 'bench').concepts) {
      reference.push(await procedure.run(concept));
      one.push(await run(1, [concept.name]));
      if (!roundsAfter.includes(reference.length)) continue;
      // In turns, and the other way round every other time.
      const round = [
        { workers: 1, into: ten },
        { workers: 2, into: tenByTwo },
      ];
      if (ten.length % 2 === 1) round.reverse();
      for (const { workers, into } of round) into.push(await run(workers, styles));
    }
  } finally {
    procedure.stop();
  }
  const names = parseCampaign(campaignText(styles, pairs, skillRatio), 'bench').concepts.map(({ name }) => name);
  let tally = emptyTally;
  for (const [i, name] of names.entries())
    for (const { masks, sums } of [one[i], ...ten, ...tenByTwo].filter((each) => each !== undefined))
      tally = await tallyMask(tally, masks.get(name), sums, reference[i]?.layers ?? [], checkpoint, settings);
  return { pairs, reference, one, ten, tenByTwo, tally };
}

/** The figures. */
function figuresOf({ reference, one, ten, tenByTwo, tally }: Measured) {
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
function partsOf({ reference, one, ten, tenByTwo, tally }: Measured) {
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

function faultsOf({ pairs, reference, one, ten, tenByTwo, tally }: Measured): readonly string[] {
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

function textOf(
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
    'median of these ratios. speedup10 is the sum of the reference over the median sweep of ten.',
    `Masks: ${tally.masks} compared, ${tally.set} bits set, ${tally.tied} tied, ${tally.wrong} wrong; norms within ${tally.normError.toExponential(1)}.`,
  ];
  return [bounds, '', runs, '', ...notes].join('\n');
}
