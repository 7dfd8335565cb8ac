import type { SiteName } from '../../shared/model/site.ts';
import { contentHash } from '../../shared/unit/content-hash.ts';
import type { SamplingSpec, TrajectoryKey } from '../../shared/unit/unit.ts';

/** A trajectory of a cohort and how often it counts. */
export interface CohortEntry extends TrajectoryKey {
  /** Times the prompt is listed with this seed. */
  readonly count: number;
}

/** A multiset of trajectories: one prompt list with seeds and sampling settings. */
export interface Cohort {
  /** Hash of entries and sampling, 64 hex digits. Not of the checkpoint: see `sumKey`. */
  readonly id: string;
  readonly sampling: SamplingSpec;
  /** Ordered by prompt (UTF-16 code units), then seed (as a number). */
  readonly entries: readonly CohortEntry[];
  /** Length of the prompt list: the sum of the counts. */
  readonly size: number;
}

/** The cohort of a list, in whatever order it is written. */
export function cohortOf(list: readonly TrajectoryKey[], sampling: SamplingSpec): Cohort {
  const counts = new Map<string, { readonly key: TrajectoryKey; count: number }>();
  for (const key of list) {
    const id = trajectoryId(key);
    const known = counts.get(id);
    if (known === undefined) counts.set(id, { key, count: 1 });
    else known.count += 1;
  }
  const entries = [...counts.values()]
    .map(({ key: { prompt, seed }, count }) => ({ prompt, seed, count }))
    .sort(compareKeys);
  return { id: contentHash('cohort 1', { entries, sampling }), sampling, entries, size: list.length };
}

/** Tells trajectories of one sampling apart. */
export function trajectoryId({ prompt, seed }: TrajectoryKey): string {
  return `${seed} ${prompt}`;
}

function compareKeys(a: TrajectoryKey, b: TrajectoryKey): number {
  if (a.prompt !== b.prompt) return a.prompt < b.prompt ? -1 : 1;
  return BigInt(a.seed) < BigInt(b.seed) ? -1 : 1;
}

/** What the bits of a cohort's sum depend on, besides its entries. */
export interface SumOrigin {
  readonly checkpoint: string;
  readonly numerics: string;
  readonly graph: string;
}

/**
 * The name of a cohort's sum over one site and the first `steps` UNet calls (1 for a text encoder pass). Batch and
 * window are not in it: they change no bits.
 */
export function sumKey(
  { checkpoint, numerics, graph }: SumOrigin,
  cohort: string,
  site: SiteName,
  steps: number,
): string {
  return contentHash('sum 1', { checkpoint, numerics, graph, cohort, site, steps });
}
