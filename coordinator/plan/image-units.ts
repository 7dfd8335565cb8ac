import { canonicalJson } from '../../shared/unit/canonical-json.ts';
import { type ImageUnit, imageKey, type TrajectoryKey, unitHash } from '../../shared/unit/unit.ts';
import type { SumOrigin } from './cohort.ts';
import { type ImageFacts, imageMemory } from './image-facts.ts';
import type { PlannedUnit } from './plan.ts';

/** Images that are sampled and pruned alike. */
export interface ImageGroup {
  readonly facts: ImageFacts;
  /** Hash of the mask; absent where nothing is pruned. */
  readonly mask?: string;
  readonly trajectories: readonly TrajectoryKey[];
}

/**
 * Units for images, each image in one of them: in the order in which they are asked for, so that what is pruned alike
 * runs together.
 *
 * @param isThere whether the image of a key is stored or being made
 * @param batch images in a unit, at most
 */
export function imageUnits(
  groups: readonly ImageGroup[],
  origin: SumOrigin,
  batch: number,
  isThere: (key: string) => boolean,
): readonly PlannedUnit[] {
  const taken = new Set<string>();
  const alike = new Map<string, { readonly group: ImageGroup; readonly missing: TrajectoryKey[] }>();
  for (const group of groups) {
    const common = commonOf(group, origin);
    const name = canonicalJson(common);
    const missing = alike.get(name)?.missing ?? [];
    alike.set(name, { group, missing });
    for (const { prompt, seed } of group.trajectories) {
      const key = imageKey(common, { prompt, seed });
      if (taken.has(key) || isThere(key)) continue;
      taken.add(key);
      missing.push({ prompt, seed });
    }
  }
  return [...alike.values()].flatMap(({ group, missing }) =>
    Array.from({ length: Math.ceil(missing.length / batch) }, (_, i) =>
      plannedUnit(group, origin, missing.slice(i * batch, (i + 1) * batch)),
    ),
  );
}

function plannedUnit(group: ImageGroup, origin: SumOrigin, trajectories: readonly TrajectoryKey[]): PlannedUnit {
  const unit: ImageUnit = { kind: 'image', ...commonOf(group, origin), trajectories };
  const memory = imageMemory(group.facts, trajectories.length);
  return { hash: unitHash(unit), unit, sites: ['image'], members: [], memory, calls: group.facts.calls };
}

/** What all images of a group depend on. */
export function commonOf(
  { facts, mask }: Pick<ImageGroup, 'facts' | 'mask'>,
  { checkpoint, numerics, graph }: SumOrigin,
): Omit<ImageUnit, 'kind' | 'trajectories'> {
  return { checkpoint, numerics, graph, sampling: facts.sampling, ...(mask === undefined ? {} : { mask }) };
}
