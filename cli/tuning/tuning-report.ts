import type { Campaign, Tuning } from '../../coordinator/plan/campaign.ts';
import { samplingText } from '../output/sampling-text.ts';
import { isExplicit } from '../report/is-explicit.ts';
import { candidateText } from '../../shared/tuning/candidate.ts';
import { type Standing, shareOf, worstOf } from '../../shared/tuning/standing.ts';
import { tradeOffFront, type Trial } from '../../shared/tuning/trial.ts';
import { rateOf } from '../../shared/verification/rate.ts';
import type { Measure, Rate, ReportData, ReportedConcept, ReportedTradeOff } from '../report/report-data.ts';
import { type TunedGroup, unpaidText } from './tuned-group.ts';

/**
 * What tuning has found, as a report. Its rates are of the images by which the masks were chosen, so they flatter; `lethe
 * verify` measures on others.
 *
 * @param budget images that could be made for each group
 * @param id of the campaign @param file its path, as it was given @param made now, ISO 8601
 */
export function tuningReport(
  campaign: Campaign,
  tune: Tuning,
  budget: number,
  id: string,
  file: string,
  made: string,
  groups: readonly TunedGroup[],
): ReportData {
  const [first] = groups;
  return {
    title: 'Tuning',
    campaign: { name: campaign.name, id },
    checkpoint: { name: campaign.checkpoint ?? 'emoji-sd', id: first?.made.checkpoint ?? '' },
    made,
    settings: settingsOf(campaign, tune, budget, file, groups),
    concepts: groups.flatMap((group) => conceptsOf(group, campaign)),
    overlaps: groups.flatMap(({ overlaps }) => overlaps),
    tradeOffs: groups.map(tradeOffOf),
  };
}

function settingsOf(
  campaign: Campaign,
  tune: Tuning,
  budget: number,
  file: string,
  groups: readonly TunedGroup[],
): ReportData['settings'] {
  const { sampling, tau, verify } = campaign;
  const images = tune.sampling ?? verify?.sampling ?? sampling;
  return [
    { name: 'command', value: `lethe tune ${file} --budget ${budget}` },
    { name: 'statistics', value: `${tau} UNet calls, ${samplingText(sampling)}` },
    { name: 'images', value: samplingText(images) },
    { name: 'validation', value: `${tune.images} images of each target and of the rest, seeds from ${tune.seed}` },
    { name: 'classifier', value: verify?.classifier ?? "the checkpoint's own" },
    { name: 'budget', value: `${budget} images` },
    ...groups.map((group) => ({
      name: `winner for ${group.concepts.join(', ')}`,
      value: candidateText(group.winner.candidate),
    })),
    ...groups.flatMap(({ concepts, unpaidLayers }) =>
      unpaidLayers === undefined
        ? []
        : [{ name: `layers for ${concepts.join(', ')}`, value: unpaidText(unpaidLayers) }],
    ),
  ];
}

function conceptsOf(group: TunedGroup, campaign: Campaign): readonly ReportedConcept[] {
  return group.made.masks.map(({ concept, hash }): ReportedConcept => {
    const kept = group.winner.standings.filter(
      ({ requirement: { side, alone } }) => side.kind === 'kept' && (alone ?? concept) === concept,
    );
    const own = group.winner.standings.filter(
      ({ requirement: { side } }) => side.kind === 'erased' && side.concept === concept,
    );
    const together =
      group.concepts.length > 1
        ? ` Measured with the masks of ${group.concepts.join(', ')} together, but for what says alone.`
        : '';
    const misses = [...own, ...kept].some((each) => shareOf(each) < each.requirement.least);
    return {
      name: concept,
      kind: campaign.concepts.find(({ name }) => name === concept)?.kind ?? 'object',
      mask: hash,
      // The images that chose a mask flatter it.
      verdict: misses ? 'failed' : 'preliminary',
      why: `On the validation images that it was chosen by; lethe verify measures on others.${together}`,
      measures: [...own, ...kept].map(measureOf),
      bystanders: [],
      isVeiled: isExplicit(campaign),
      densities: group.densities.get(concept) ?? [],
      images: (group.pairs.get(concept) ?? []).map(({ probe: { prompt, seed }, before, after }) => {
        return { prompt, seed, before, after };
      }),
    };
  });
}

function measureOf(standing: Standing): Measure {
  const { requirement } = standing;
  const meaning =
    requirement.side.kind === 'erased'
      ? 'images of it that are no longer recognised as it'
      : 'images that name none of the concepts, recognised as before';
  return { name: requirement.name, meaning, after: reportedRate(standing), least: requirement.least };
}

function reportedRate({ hits, of }: Standing): Rate {
  const { rate, interval } = rateOf(Math.min(hits, of), of);
  return { share: rate, ...interval, of };
}

/** Every mask that was drawn on all validation images. */
export function tradeOffOf({ concepts, trials, winner, made }: TunedGroup): ReportedTradeOff {
  const front = new Set(tradeOffFront(trials));
  const worst = (trial: Trial, kind: 'erased' | 'kept'): Rate => {
    const standing = worstOf(trial.standings, kind);
    return standing === undefined ? { share: 1, low: 0, high: 1, of: 0 } : reportedRate(standing);
  };
  return {
    concepts,
    trials: trials.map((trial) => ({
      label: candidateText(trial.candidate),
      density: trial.pruned / Math.max(1, made.weights),
      erased: worst(trial, 'erased'),
      kept: worst(trial, 'kept'),
      front: front.has(trial),
      chosen: trial === winner,
    })),
  };
}
