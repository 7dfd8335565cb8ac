import { loadavg } from 'node:os';
import { emojiSdDirectory } from '../../cli/default-checkpoint.ts';
import { parseCampaign } from '../../coordinator/plan/parse-campaign.ts';
import { openCheckpoint } from '../../shared/checkpoint/open-checkpoint.ts';
import type { Bench } from './bench.ts';
import { thisMachine } from './machine.ts';
import { figure } from './memory.ts';
import { rescoreBench } from './rescore.ts';
import { campaignText, defaultBatch, mostPairs, sharedBatch, styles } from './sweep-campaign.ts';
import { emptyTally, tallyMask } from './sweep-compare.ts';
import { sweep, type SweepRun } from './sweep-lethe.ts';
import { ReferenceProcess, type ReferenceRun } from './sweep-reference.ts';
import { faultsOf, figuresOf, type Measured, partsOf, textOf } from './sweep-report.ts';

const skillRatio = 0.01;
/** Of the second sweep, which finds everything stored. */
const otherRatio = 0.02;
/** What a sweep adds to its UNet calls is fixed; with a dozen pairs it is no more than a sixth. */
const defaultPairs = 12;
/** Sweeps of all styles, by one worker and by two, are run after so many of the reference's concepts. */
const roundsAfter = [3, 6, 10];

/** `sweep [--pairs N]`: a sweep by a real fleet against the reference procedure. */
export const sweepBench: Bench = {
  about: 'sweeps of one style and of ten by a real fleet against the reference procedure; two workers against one',
  async run(parameters) {
    const asked = Number(parameters[parameters.indexOf('--pairs') + 1]);
    const pairs = parameters.includes('--pairs') ? Math.min(Math.max(1, Math.trunc(asked)), mostPairs) : defaultPairs;
    const measured = await measure(pairs);
    const rescore = await rescoreBench.run([]);
    const figures = { ...figuresOf(measured), rescoreSeconds: figure(rescore.json, 'rescoreSeconds') };
    const machine = { ...thisMachine(), load: loadavg()[0] ?? NaN };
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
  const run = (workers: number, named: readonly string[], batch: number): Promise<SweepRun> =>
    sweep(
      named.length === 1 ? (named[0] ?? '') : `${named.length} styles`,
      workers,
      campaignText(named, pairs, batch, skillRatio),
      campaignText(named, pairs, batch, otherRatio),
    );
  const [reference, one, ten, tenByTwo]: [ReferenceRun[], SweepRun[], SweepRun[], SweepRun[]] = [[], [], [], []];
  const { concepts } = parseCampaign(campaignText(styles, pairs, defaultBatch, skillRatio), 'bench');
  const procedure = await ReferenceProcess.start();
  try {
    for (const concept of concepts) {
      process.stderr.write(`${concept.name}, ${reference.length + 1} of ${concepts.length}\n`);
      reference.push(await procedure.run(concept));
      one.push(await run(1, [concept.name], defaultBatch));
      if (!roundsAfter.includes(reference.length)) continue;
      // In turns, and the other way round every other time.
      const round = [
        { workers: 1, into: ten },
        { workers: 2, into: tenByTwo },
      ];
      if (ten.length % 2 === 1) round.reverse();
      for (const { workers, into } of round) into.push(await run(workers, styles, sharedBatch));
    }
  } finally {
    procedure.stop();
  }
  let tally = emptyTally;
  for (const [i, { name }] of concepts.entries())
    for (const { masks, sums } of [one[i], ...ten, ...tenByTwo].filter((each) => each !== undefined))
      tally = await tallyMask(tally, masks.get(name), sums, reference[i]?.layers ?? [], checkpoint, settings);
  return { pairs, reference, one, ten, tenByTwo, tally };
}
