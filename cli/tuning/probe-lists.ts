import type { Campaign, Concept, Tuning } from '../../coordinator/plan/campaign.ts';
import type { TrajectoryKey } from '../../shared/unit/unit.ts';
import type { Label } from '../../shared/verification/test-image.ts';
import type { TestPrompt } from '../../shared/verification/test-prompts.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { sweptTrajectories, testedTrajectories, type UsedTrajectories } from '../verification/refuse-overlap.ts';
import { testPlan, type Variant, type VariantTest } from '../verification/test-plan.ts';

/** The validation images of concepts that are tuned together. */
export interface ProbeLists {
  /** Of each concept: prompts that name it. */
  readonly targets: readonly {
    readonly concept: Concept;
    readonly target: Label;
    readonly probes: readonly TestPrompt[];
  }[];
  /** Prompts that name none of them. */
  readonly rest: readonly TestPrompt[];
}

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
  const plan = probePlan(campaign, tune, [concepts], heads, source);
  // The masks may be verified each alone, with their group, and with all of the campaign.
  const names = campaign.concepts.map(({ name }) => name);
  const verified = testPlan(campaign, heads, [...names.map((name) => [name]), concepts, names].map(unmasked), source);
  const used = { by: 'verify', trajectories: testedTrajectories(verified) };
  const probes = plan.flatMap(({ tests, rest }) => [...rest, ...tests.flatMap(({ targets }) => targets)]);
  refuseUsed(probes, [sweptTrajectories(campaign), used], source);
  const [{ tests, rest } = { tests: [], rest: [] }] = plan;
  const targets = tests.map(({ concept, target, targets: probes }) => {
    if (!('label' in target))
      throw new LetheError('campaign-invalid', {
        what: `cannot tune the mask of ${concept.name}`,
        where: source,
        why: 'it has sides: it is measured by their shares, and masks are searched by what they erase',
        next: 'tune a copy of the campaign without it; give its mask settings by hand, and let `lethe verify` measure them',
        setting: ['concepts', concept.name, 'verify', 'sides'],
      });
    return { concept, target, probes };
  });
  return { targets, rest };
}

/**
 * What tuning looks at, as the campaign's tune section says: each concept alone and each group. Masks that were chosen by
 * these trajectories look better on them than they are.
 *
 * @param heads labels of the classifier, by head
 * @param source of the campaign, for messages
 * @throws LetheError `campaign-invalid` as `testPlan`.
 */
export function tunedTrajectories(
  campaign: Campaign,
  heads: Readonly<Record<string, readonly string[]>>,
  source: string,
): UsedTrajectories {
  const { tune, concepts } = campaign;
  if (tune === undefined) return { by: 'tuning', trajectories: [] };
  const groups = [...(tune.together ?? []), ...concepts.map(({ name }) => [name])];
  const plan = probePlan(campaign, tune, groups, heads, source);
  return {
    by: 'tuning',
    trajectories: plan.flatMap(({ tests, rest }) => [...rest, ...tests.flatMap(({ targets }) => targets)]),
  };
}

/** The plan of verify with the images and seeds of tune. */
function probePlan(
  campaign: Campaign,
  { images, seed }: Tuning,
  groups: readonly (readonly string[])[],
  heads: Readonly<Record<string, readonly string[]>>,
  source: string,
): readonly VariantTest[] {
  const { verify } = campaign;
  const own = verify && { ...verify, images, seed: String(seed) };
  return testPlan(own === undefined ? campaign : { ...campaign, verify: own }, heads, groups.map(unmasked), source);
}

/** Concepts as a variant whose masks nobody knows yet. */
function unmasked(concepts: readonly string[]): Variant {
  return { title: concepts.join(', '), masks: [], concepts };
}

/**
 * What tuning looks at is not what the sweep has made masks of.
 *
 * @param tuned what `tunedTrajectories` gives
 * @throws LetheError `campaign-invalid`
 */
export function refuseSweptProbes(campaign: Campaign, { trajectories }: UsedTrajectories, source: string): void {
  refuseUsed(trajectories, [sweptTrajectories(campaign)], source);
}

/** Masks that are chosen by the images they are measured on look better than they are. */
function refuseUsed(probes: readonly TrajectoryKey[], used: readonly UsedTrajectories[], source: string): void {
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
      setting: ['tune', 'seed'],
    });
  }
}
