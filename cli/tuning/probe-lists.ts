import type { Campaign, Tuning } from '../../coordinator/plan/campaign.ts';
import type { TrajectoryKey } from '../../shared/unit/unit.ts';
import type { TestPrompt } from '../../shared/verification/test-prompts.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { sweptTrajectories, type UsedTrajectories } from '../verification/refuse-overlap.ts';
import { testPlan } from '../verification/test-plan.ts';
import type { ProbeLists } from './standings.ts';

/**
 * Validation images of concepts that are tuned together: drawn as those of verify are, from other seeds.
 *
 * @param heads labels of the classifier, by head
 * @param source of the campaign, for messages
 * @throws LetheError `campaign-invalid` as `testPlan`; for an image that the sweep or verify uses too, whose result it
 *   would flatter; and for a concept with sides, which nothing here measures.
 */
export function probeListsOf(
  campaign: Campaign,
  tune: Tuning,
  concepts: readonly string[],
  heads: Readonly<Record<string, readonly string[]>>,
  source: string,
): ProbeLists {
  const variant = { title: concepts.join(', '), masks: [], concepts };
  const verified = campaign.verify === undefined ? [] : testPlan(campaign, heads, [variant], source);
  const own = campaign.verify && { ...campaign.verify, images: tune.images, seed: String(tune.seed) };
  const plan = testPlan(own === undefined ? campaign : { ...campaign, verify: own }, heads, [variant], source);
  const used = verified.flatMap(({ tests, rest }) => [...rest, ...tests.flatMap(({ targets }) => targets)]);
  const probes = plan.flatMap(({ tests, rest }) => [...rest, ...tests.flatMap(({ targets }) => targets)]);
  refuseUsed(probes, [sweptTrajectories(campaign), { by: 'verify', trajectories: used }], source);
  const [{ tests, rest } = { tests: [], rest: [] }] = plan;
  const targets = tests.map(({ concept, target, targets: probes }) => {
    if (!('label' in target))
      throw new LetheError('campaign-invalid', {
        what: `cannot tune the mask of ${concept.name}`,
        where: source,
        why: 'it is measured by the shares of its sides, and masks are searched by what they erase',
        next: 'leave it out, choose its settings by hand and let `lethe verify` measure them',
      });
    return { concept, target, probes };
  });
  return { targets, rest };
}

/** Masks that are chosen by the images they are measured on look better than they are. */
function refuseUsed(probes: readonly TestPrompt[], used: readonly UsedTrajectories[], source: string): void {
  const keyOf = ({ prompt, seed }: TrajectoryKey): string => `${BigInt.asUintN(64, BigInt(seed))} ${prompt}`;
  for (const { by, trajectories } of used) {
    const keys = new Set(trajectories.map(keyOf));
    const found = probes.find((probe) => keys.has(keyOf(probe)));
    if (found === undefined) continue;
    throw new LetheError('campaign-invalid', {
      what: 'cannot tune by these images',
      where: `${source}: tune.seed`,
      why: `${by} uses ${JSON.stringify(found.prompt)} from seed ${found.seed} too`,
      next: 'give tune.seed another value: the seeds after it are used too',
    });
  }
}
