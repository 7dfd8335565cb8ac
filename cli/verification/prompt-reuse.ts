import type { Campaign } from '../../coordinator/plan/campaign.ts';
import { sweptTrajectories } from './refuse-overlap.ts';
import type { VariantTest } from './test-plan.ts';

/** Distinct test prompts, and those among them that the sweep has run from other seeds. */
export interface ReusedPrompts {
  readonly prompts: number;
  readonly swept: number;
}

/** Of those that name a target, and of the rest. */
export interface PromptReuse {
  readonly targets: ReusedPrompts;
  readonly rest: ReusedPrompts;
}

/**
 * How many test prompts are the sweep's own. Their noise is new, their words are not: what is erased there says less of
 * words that the sweep did not know. Other wordings are for the campaign's templates and alternatives.
 */
export function promptReuse(plan: readonly VariantTest[], campaign: Campaign): PromptReuse {
  const known = new Set(sweptTrajectories(campaign).trajectories.map(({ prompt }) => prompt));
  const count = (tested: readonly { readonly prompt: string }[]): ReusedPrompts => {
    const prompts = new Set(tested.map(({ prompt }) => prompt));
    return { prompts: prompts.size, swept: [...prompts].filter((prompt) => known.has(prompt)).length };
  };
  return {
    targets: count(plan.flatMap(({ tests }) => tests.flatMap(({ targets }) => targets))),
    rest: count(plan.flatMap(({ rest }) => rest)),
  };
}
