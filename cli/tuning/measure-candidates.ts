import type { Candidate } from '../../shared/tuning/candidate.ts';
import type { Trial } from '../../shared/tuning/trial.ts';
import type { CandidateMasks, MadeMasks } from './candidate-masks.ts';
import type { ProbedSet, ProbeImages } from './probe-images.ts';
import { aloneLists, type Asked } from './requirements.ts';
import { type Seen, standingsOf } from './standings.ts';

/**
 * Trials of candidates: masks from stored statistics, images from the fleet.
 *
 * @param samples images of each list
 * @param isWhole whether these are all, and what each mask does by itself is looked at: most candidates have dropped out by then
 */
export async function measureCandidates(
  candidates: readonly Candidate[],
  samples: number,
  isWhole: boolean,
  masks: CandidateMasks,
  images: ProbeImages,
  asked: readonly Asked[],
  before: Seen,
): Promise<readonly Trial[]> {
  const { lists } = images;
  const alone = isWhole ? aloneLists(asked, lists) : new Map<string, readonly number[]>();
  const made = [];
  for (const candidate of candidates) made.push({ candidate, ...(await masks.of(candidate)) });
  const sets = made.flatMap((each) => setsOf(each, alone));
  const seen = await images.seen(sets, samples);
  let at = 0;
  return made.map(({ candidate, pruned, layers }): Trial => {
    const after = seen[at++] ?? { targets: [], rest: [] };
    const byItself = new Map([...alone.keys()].map((concept) => [concept, seen[at++] ?? { targets: [], rest: [] }]));
    return { candidate, pruned, layers, samples, standings: standingsOf(asked, lists, before, after, byItself) };
  });
}

/** All masks at once, then each that something is asked of by itself. */
function setsOf({ masks }: MadeMasks, alone: ReadonlyMap<string, readonly number[]>): readonly ProbedSet[] {
  const own = [...alone].map(([concept, lists]) => ({
    masks: masks.filter((mask) => mask.concept === concept).map(({ hash }) => hash),
    lists,
  }));
  return [{ masks: masks.map(({ hash }) => hash) }, ...own];
}
