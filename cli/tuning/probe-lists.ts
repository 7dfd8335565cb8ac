import type { Campaign } from '../../coordinator/plan/campaign.ts';
import type { TuneFile } from '../../coordinator/plan/tune-schema.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { refuseOverlap, sweptTrajectories } from '../verification/refuse-overlap.ts';
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
  tune: TuneFile,
  concepts: readonly string[],
  heads: Readonly<Record<string, readonly string[]>>,
  source: string,
): ProbeLists {
  const variant = { title: concepts.join(', '), masks: [], concepts };
  const verified = campaign.verify === undefined ? [] : testPlan(campaign, heads, [variant], source);
  const own = campaign.verify && { ...campaign.verify, images: tune.images, seed: String(tune.seed) };
  const plan = testPlan(own === undefined ? campaign : { ...campaign, verify: own }, heads, [variant], source);
  const used = verified.flatMap(({ tests, rest }) => [...rest, ...tests.flatMap(({ targets }) => targets)]);
  refuseOverlap(plan, [sweptTrajectories(campaign), { by: 'verify', trajectories: used }], source, 'tune.seed');
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
