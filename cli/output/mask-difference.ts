import type { ActiveMask, ManifestResponse } from '../../gen/fleet/v1/mask.ts';
import { isSameConcept } from '../../shared/mask/same-concept.ts';
import { escaped } from './escape.ts';
import { shortHash } from './figures.ts';

/** What tells two sets of active masks apart. */
export interface MaskDifference {
  readonly added: readonly ActiveMask[];
  /** Concepts that get another mask; `mask` is the new one. */
  readonly replaced: readonly (ActiveMask & { readonly before: string })[];
  readonly removed: readonly ActiveMask[];
  readonly kept: readonly ActiveMask[];
}

/** A concept is the same in every spelling of its name. */
export function maskDifference(before: readonly ActiveMask[], after: readonly ActiveMask[]): MaskDifference {
  const old = (concept: string): ActiveMask | undefined => before.find((each) => isSameConcept(each.concept, concept));
  return {
    added: after.filter(({ concept }) => old(concept) === undefined),
    replaced: after.flatMap((each) => {
      const was = old(each.concept);
      return was === undefined || was.mask === each.mask ? [] : [{ ...each, before: was.mask }];
    }),
    removed: before.filter(({ concept }) => !after.some((each) => isSameConcept(each.concept, concept))),
    kept: after.filter(({ concept, mask }) => old(concept)?.mask === mask),
  };
}

/** A line a mask: `+` becomes active, `~` takes the place of another, `-` is taken back, and nothing before one that stays. */
export function differenceText(
  checkpoint: string,
  version: number,
  after: Pick<ManifestResponse, 'version' | 'changed'>,
  { added, replaced, removed, kept }: MaskDifference,
): string {
  const heading = after.changed
    ? `would become version ${after.version} of ${checkpoint.slice(0, 19)} (version ${version} is active); nothing was changed`
    : `nothing would change: version ${version} of ${checkpoint.slice(0, 19)} has these masks already`;
  return [
    heading,
    ...added.map(({ concept, mask }) => `+ ${escaped(concept)} (${shortHash(mask)})`),
    ...replaced.map(({ concept, mask, before }) => `~ ${escaped(concept)} (${shortHash(before)} → ${shortHash(mask)})`),
    ...removed.map(({ concept, mask }) => `- ${escaped(concept)} (${shortHash(mask)})`),
    ...kept.map(({ concept, mask }) => `  ${escaped(concept)} (${shortHash(mask)})`),
  ].join('\n');
}
