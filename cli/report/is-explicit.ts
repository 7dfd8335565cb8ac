import type { Campaign } from '../../coordinator/plan/campaign.ts';

/**
 * Whether images of a campaign are veiled: prompts of the rest of one concept may name another, and what the unpruned model
 * draws of it is what the campaign is to remove.
 */
export function isExplicit({ concepts }: Campaign): boolean {
  return concepts.some(({ kind }) => kind === 'explicit');
}
