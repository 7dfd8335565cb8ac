import type { Candidate } from '../../shared/tuning/candidate.ts';
import type { Trial } from '../../shared/tuning/trial.ts';
import type { CandidateMasks } from './candidate-masks.ts';
import type { ProbeImages } from './probe-images.ts';
import { type requirementsOf, type Seen, standingsOf } from './standings.ts';

/** Trials of candidates: masks from stored statistics, images from the fleet. */
export async function measureCandidates(
  candidates: readonly Candidate[],
  samples: number,
  masks: CandidateMasks,
  images: ProbeImages,
  asked: ReturnType<typeof requirementsOf>,
  before: Seen,
): Promise<readonly Trial[]> {
  const made = [];
  for (const candidate of candidates) made.push({ candidate, ...(await masks.of(candidate)) });
  const seen = await images.seen(
    made.map((each) => each.masks.map(({ hash }) => hash)),
    samples,
  );
  return made.map(({ candidate, pruned, layers }, i): Trial => {
    const after = seen[i] ?? { targets: [], rest: [] };
    return { candidate, pruned, layers, samples, standings: standingsOf(asked, images.lists, before, after) };
  });
}
