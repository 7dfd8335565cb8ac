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

/**
 * Masks are tested on what made them never saw: neither prompt nor noise may be new alone, the pair has to be.
 *
 * @throws LetheError `campaign-invalid` naming the first overlap.
 */
export function refuseOverlap(plan: readonly VariantTest[], used: readonly UsedTrajectories[], source: string): void {
  const tested = plan.flatMap(({ tests, rest }) => [
    ...rest,
    ...tests.flatMap(({ targets, alternatives }) => [...targets, ...alternatives.flatMap(({ prompts }) => prompts)]),
  ]);
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
    });
  }
}

function keyOf({ prompt, seed }: TrajectoryKey): string {
  return `${BigInt.asUintN(64, BigInt(seed))} ${prompt}`;
}
