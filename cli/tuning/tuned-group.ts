import type { LayerDensity } from '../../shared/mask/compare-masks.ts';
import { escaped } from '../output/escape.ts';
import { candidateText } from '../../shared/tuning/candidate.ts';
import type { UnpaidLayers } from '../../shared/tuning/halving.ts';
import { shareOf, type Standing, worstOf } from '../../shared/tuning/standing.ts';
import { type Certainty, tradeOffFront, type Trial } from '../../shared/tuning/trial.ts';
import { percent, shortHash } from '../output/figures.ts';
import { table } from '../output/table.ts';
import type { ReportedOverlap } from '../report/report-data.ts';
import type { MadeMasks } from './candidate-masks.ts';
import type { TestPrompt } from '../../shared/verification/test-prompts.ts';

/** A validation image before and after the winner's masks. */
export interface TunedPair {
  readonly probe: TestPrompt;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/** What tuning has found for concepts that will be active together. */
export interface TunedGroup {
  readonly concepts: readonly string[];
  readonly winner: Trial;
  readonly certainty: Certainty;
  readonly made: MadeMasks;
  /** Of each of its masks, by concept. */
  readonly densities: ReadonlyMap<string, readonly LayerDensity[]>;
  /** Of every two of its masks. */
  readonly overlaps: readonly ReportedOverlap[];
  /** Every candidate on all validation images: the trade-off curve. */
  readonly trials: readonly Trial[];
  /** Candidates that were tried at all. */
  readonly tried: number;
  readonly images: number;
  /** Set where no layer was left out, for want of budget. */
  readonly unpaidLayers?: UnpaidLayers;
  /** Images of each concept. */
  readonly pairs: ReadonlyMap<string, readonly TunedPair[]>;
  /** The campaign that makes the winner's masks and no others. */
  readonly campaign: { readonly file: string; readonly text: string };
}

const certaintyText: Readonly<Record<Certainty, string>> = {
  'with room': 'meets the thresholds, with room for the size of the sample',
  'on the sample': 'meets the thresholds on these images, with no room: verify may say otherwise',
  missed: 'no mask met the thresholds; this one misses least',
};

/** For people: what was asked and seen, and the curve. */
export function tunedText(group: TunedGroup): string {
  const { concepts, winner, certainty, made, trials, tried, images, campaign } = group;
  const front = tradeOffFront(trials).toSorted((a, b) => a.pruned - b.pruned);
  return [
    escaped(`${concepts.join(' + ')}: ${certaintyText[certainty]}`),
    table([
      ['', 'seen', 'asked', 'images'],
      ...winner.standings.map((each) => [
        each.requirement.name,
        percent(shareOf(each)),
        percent(each.requirement.least),
        each.of,
      ]),
    ]),
    '',
    table([
      ['pruned', 'erased', 'kept', 'mask'],
      ...front.map((trial) => [
        percent(trial.pruned / Math.max(1, made.weights)),
        worstText(worstOf(trial.standings, 'erased')),
        worstText(worstOf(trial.standings, 'kept')),
        `${candidateText(trial.candidate)}${trial === winner ? '  <- chosen' : ''}`,
      ]),
    ]),
    '',
    `tried       ${tried} candidates, ${images} images`,
    ...(group.unpaidLayers === undefined ? [] : [`layers      ${unpaidText(group.unpaidLayers)}`]),
    ...made.masks.map(({ concept, hash }) => escaped(`mask        ${shortHash(hash)} ${concept}`)),
    escaped(`campaign    ${campaign.file}`),
  ].join('\n');
}

/** Why no layer was left out, and what to do about it. */
export function unpaidText({ layers, images, left }: UnpaidLayers): string {
  return `all kept: leaving out each of ${layers} takes ${images} images, more than half of the ${left} that were left; a larger --budget may find a smaller mask`;
}

function worstText(standing: Standing | undefined): string {
  return standing === undefined ? '' : percent(shareOf(standing));
}

/** For machines; what the curve is made of, whole. */
export function tunedJson(group: TunedGroup): Readonly<Record<string, unknown>> {
  const { concepts, winner, certainty, made, trials, tried, images, campaign } = group;
  const front = new Set(tradeOffFront(trials));
  const trialJson = (trial: Trial): Readonly<Record<string, unknown>> => ({
    mask: candidateText(trial.candidate),
    candidate: trial.candidate,
    pruned: trial.pruned,
    density: trial.pruned / Math.max(1, made.weights),
    standings: trial.standings.map(({ requirement, hits, of }) => ({
      name: requirement.name,
      least: requirement.least,
      hits,
      of,
      share: shareOf({ requirement, hits, of }),
    })),
    front: front.has(trial),
  });
  return {
    concepts,
    certainty,
    winner: { ...trialJson(winner), masks: made.masks.map(({ concept, hash }) => ({ concept, hash })) },
    tried,
    images,
    ...(group.unpaidLayers === undefined ? {} : { unpaidLayers: group.unpaidLayers }),
    campaign: campaign.file,
    tradeOff: trials.toSorted((a, b) => a.pruned - b.pruned).map(trialJson),
  };
}
