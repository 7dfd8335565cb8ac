import { join } from 'node:path';
import type { Campaign, Tuning } from '../../coordinator/plan/campaign.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { contentHash } from '../../shared/unit/content-hash.ts';
import { densities, type LayerDensity, maskOverlap } from '../../shared/mask/compare-masks.ts';
import { gridOf } from '../../shared/tuning/grid.ts';
import { leastBudget, type SearchState, startSearch, wholeTrials } from '../../shared/tuning/halving.ts';
import { chooseWinner } from '../../shared/tuning/trial.ts';
import type { ImageSession } from '../fleet/image-session.ts';
import type { ReportedOverlap } from '../report/report-data.ts';
import { samplingMessage } from '../verification/verify-masks.ts';
import type { CandidateMasks, MadeMasks } from './candidate-masks.ts';
import { measureCandidates } from './measure-candidates.ts';
import { ProbeImages } from './probe-images.ts';
import { type ProbeLists, probeListsOf } from './probe-lists.ts';
import { runSearch } from './run-search.ts';
import { aloneLists, type Asked, requirementsOf } from './requirements.ts';
import { requirePresent } from './standings.ts';
import type { TunedGroup, TunedPair } from './tuned-group.ts';
import { limitsOf } from './tuning-limits.ts';
import { ownCandidates } from './own-candidates.ts';
import { winnerCampaign } from './variant-campaign.ts';

/** Pictures of each concept in the report. */
const pictured = 8;

/** What groups of a campaign are tuned with. */
export interface TuningBench {
  readonly campaign: Campaign;
  readonly tune: Tuning;
  readonly text: string;
  readonly session: ImageSession;
  readonly masks: CandidateMasks;
  /** Where the winner's campaign is to be written. */
  readonly folder: string;
}

/** What is known of a group before anything runs. */
export interface PreparedGroup {
  readonly concepts: readonly string[];
  readonly lists: ProbeLists;
  readonly asked: readonly Asked[];
  readonly start: SearchState;
}

/**
 * @param heads labels of the classifier, by head
 * @param source of the campaign, for messages
 * @param budget images that may be made for the group
 * @throws LetheError `campaign-invalid` for a budget too small for a single candidate, and as `probeListsOf`.
 */
export function prepareGroup(
  campaign: Campaign,
  tune: Tuning,
  concepts: readonly string[],
  heads: Readonly<Record<string, readonly string[]>>,
  source: string,
  budget: number,
): PreparedGroup {
  const lists = probeListsOf(campaign, tune, concepts, heads, source);
  const lengths = [...lists.targets.map(({ probes }) => probes.length), lists.rest.length];
  const asked = requirementsOf(lists);
  const alone = [...aloneLists(asked, lists).values()].flat();
  const validation = { lists: lengths, alone: alone.reduce((sum, i) => sum + (lengths[i] ?? 0), 0) };
  if (budget < leastBudget(validation))
    throw new LetheError('campaign-invalid', {
      what: `cannot tune ${concepts.join(', ')}`,
      where: `${source}: tune.budget`,
      why: `${budget} images do not measure one candidate; ${leastBudget(validation)} do`,
      next: 'raise the budget (--budget), or lower tune.images',
      setting: ['tune', 'budget'],
    });
  const grid = gridOf(limitsOf(tune, campaign.retain.length > 0, concepts.length), concepts);
  return { concepts, lists, asked, start: startSearch(ownCandidates(campaign, concepts), grid, validation, budget) };
}

/**
 * Finds the smallest masks of some concepts, active together, that meet the campaign's thresholds on validation images.
 *
 * @throws LetheError `not-testable`, and what fleet and classifier throw.
 */
export async function tuneGroup(
  bench: TuningBench,
  { concepts, lists, asked, start }: PreparedGroup,
): Promise<TunedGroup> {
  const { campaign, tune, masks, session } = bench;
  const { client, classifier, watcher } = session;
  const [first] = start.alive;
  if (first === undefined) throw nothingTried(concepts);
  const { checkpoint } = await masks.of(first);
  const images = new ProbeImages(
    client,
    sourceOf(campaign, checkpoint),
    samplingMessage(tune.sampling ?? campaign.verify?.sampling ?? campaign.sampling),
    classifier,
    lists,
    watcher,
  );
  const [before = { targets: [], rest: [] }] = await images.seen([{ masks: [] }], Infinity);
  requirePresent(lists, before, campaign.verify?.present ?? 0.5);

  const end = await runSearch(
    start,
    (candidates, samples, isWhole) => measureCandidates(candidates, samples, isWhole, masks, images, asked, before),
    (state, candidates, samples) => {
      session.tell(progressText(concepts, state, candidates, samples));
    },
  );
  const trials = wholeTrials(end);
  const best = chooseWinner(trials);
  if (best === undefined) throw nothingTried(concepts);
  const made = await masks.of(best.trial.candidate);
  const hashes = made.masks.map(({ hash }) => hash);
  const pairs = new Map<string, readonly TunedPair[]>();
  for (const { concept, probes } of lists.targets) {
    const shown = [...probes.slice(0, pictured / 2), ...lists.rest.slice(0, pictured / 2)];
    const [old, fresh] = [await images.pictures(shown, []), await images.pictures(shown, hashes)];
    pairs.set(
      concept.name,
      shown.map((probe, i) => ({
        probe,
        before: old[i] ?? new Uint8Array(),
        after: fresh[i] ?? new Uint8Array(),
      })),
    );
  }
  const sizes = await comparedMasks(made, masks);
  return {
    concepts,
    winner: best.trial,
    certainty: best.certainty,
    made,
    ...sizes,
    trials,
    tried: end.trials.length,
    images: end.spent,
    ...(end.unpaidLayers === undefined ? {} : { unpaidLayers: end.unpaidLayers }),
    pairs,
    campaign: {
      file: join(bench.folder, `${fileNameOf(concepts)}.yaml`),
      text: winnerCampaign(
        bench.text,
        best.trial.candidate,
        campaign.verify?.classifier === undefined ? undefined : classifier.file.path,
        tune,
      ),
    },
  };
}

/** For people; names that are the same in these letters are told apart by what follows. */
function fileNameOf(concepts: readonly string[]): string {
  const words = concepts.map((concept) => concept.toLowerCase().replace(/[^a-z0-9]+/g, '-')).join('+');
  return `${words.slice(0, 80)}-${contentHash('tuned group 1', concepts).slice(0, 8)}`;
}

/** What the report tells of the winner's masks, two of which are in memory at a time. */
async function comparedMasks(
  { masks }: MadeMasks,
  made: CandidateMasks,
): Promise<Pick<TunedGroup, 'densities' | 'overlaps'>> {
  const sizes = new Map<string, readonly LayerDensity[]>();
  const overlaps: ReportedOverlap[] = [];
  for (const [i, { concept: first, hash }] of masks.entries()) {
    const mask = await made.read(hash);
    sizes.set(first, densities(mask));
    for (const { concept: second, hash: other } of masks.slice(i + 1)) {
      const { both, jaccard } = maskOverlap(mask, await made.read(other));
      overlaps.push({ first, second, both, jaccard });
    }
  }
  return { densities: sizes, overlaps };
}

function progressText(concepts: readonly string[], state: SearchState, candidates: number, samples: number): string {
  const { spent, budget } = state;
  // By what was drawn on all images: a few of them tell little of shares near 1.
  const best = chooseWinner(wholeTrials(state));
  const found = best === undefined ? '' : `; best so far: ${best.certainty}`;
  return `${concepts.join(' + ')}: ${candidates} candidates on ${samples} images of each list (${spent} of ${budget} images made${found})`;
}

function sourceOf({ checkpoint: directory, variant, numerics }: Campaign, checkpoint: string) {
  return { checkpoint, directory, variant, numerics };
}

function nothingTried(concepts: readonly string[]): LetheError {
  return new LetheError('campaign-invalid', {
    what: `cannot tune ${concepts.join(', ')}`,
    where: 'tune.grid',
    why: 'the grid has no candidate',
    next: 'name sites and ratios under tune.grid, or leave it out',
  });
}
