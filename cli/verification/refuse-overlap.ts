import type { Campaign } from '../../coordinator/plan/campaign.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import type { TrajectoryKey } from '../../shared/unit/unit.ts';
import type { VariantTest } from './test-plan.ts';

/** Prompts with noise that something else than the verification has seen. */
export interface UsedTrajectories {
  /** Such as `the sweep`. */
  readonly by: string;
  readonly trajectories: readonly TrajectoryKey[];
}

/** What the sweep of a campaign looks at. */
export function sweptTrajectories({ concepts, retain }: Campaign): UsedTrajectories {
  return {
    by: 'the sweep',
    trajectories: [...concepts.flatMap(({ target, base }) => [...target, ...base]), ...retain],
  };
}

/** All that a plan draws, what is drawn twice twice. */
export function testedTrajectories(plan: readonly VariantTest[]): readonly TrajectoryKey[] {
  return plan.flatMap(({ tests, rest }) => [
    ...rest,
    ...tests.flatMap(({ targets, alternatives }) => [...targets, ...alternatives.flatMap(({ prompts }) => prompts)]),
  ]);
}

/**
 * A mask is not tested on a trajectory that it was made or chosen by: the same prompt from the same seed is refused. A
 * prompt of the sweep may be tested from another seed, for its image is another (`promptReuse` counts those), and a seed
 * of the sweep with another prompt.
 *
 * @throws LetheError `campaign-invalid` naming the first overlap.
 */
export function refuseOverlap(plan: readonly VariantTest[], used: readonly UsedTrajectories[], source: string): void {
  const tested = testedTrajectories(plan);
  for (const { by, trajectories } of used) {
    const keys = new Set(trajectories.map(keyOf));
    const overlaps = new Map(tested.filter((each) => keys.has(keyOf(each))).map((each) => [keyOf(each), each]));
    const [first] = overlaps.values();
    if (first === undefined) continue;
    throw new LetheError('campaign-invalid', {
      what: 'cannot verify the campaign',
      where: `${source}: verify.seed`,
      why: `${overlaps.size} test images are what ${by} has used, the first: ${JSON.stringify(first.prompt)} from seed ${first.seed}`,
      next: 'give verify.seed another value: the seeds after it are used too',
      setting: ['verify', 'seed'],
    });
  }
}

function keyOf({ prompt, seed }: TrajectoryKey): string {
  return `${BigInt.asUintN(64, BigInt(seed))} ${prompt}`;
}
