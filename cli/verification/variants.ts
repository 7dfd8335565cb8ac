import type { Campaign } from '../../coordinator/plan/campaign.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import type { MaskShelf } from '../fleet/mask-shelf.ts';
import type { Variant } from './test-plan.ts';

/** Masks that are to be verified, all of one checkpoint. */
export interface MasksToVerify {
  /** Id. */
  readonly checkpoint: string;
  /** One a mask. */
  readonly alone: readonly Variant[];
}

/**
 * Masks and the concepts of the campaign that each is to erase.
 *
 * @param hashes of masks
 * @throws LetheError `mask-mismatch` for masks of two checkpoints, and for one that erases nothing of the campaign.
 */
export async function masksToVerify(
  hashes: readonly string[],
  shelf: MaskShelf,
  campaign: Campaign,
): Promise<MasksToVerify> {
  const names = campaign.concepts.map(({ name }) => name);
  const masks = [];
  for (const hash of new Set(hashes)) masks.push({ hash, mask: await shelf.read(hash) });
  const [first] = masks;
  const checkpoint = first?.mask.checkpoint ?? '';
  const alone = masks.map(({ hash, mask }): Variant => {
    if (mask.checkpoint !== checkpoint)
      throw mismatch(hash, `it is of ${mask.checkpoint}, and ${first?.hash ?? ''} of ${checkpoint}`);
    const concepts = names.filter((name) => mask.parts.some(({ concept }) => concept === name));
    if (concepts.length === 0)
      throw mismatch(
        hash,
        `it erases ${mask.parts.map(({ concept }) => concept).join(', ')}, none of which is in the campaign`,
      );
    return { title: concepts.join(' + '), masks: [hash], concepts };
  });
  return { checkpoint, alone };
}

/** All masks at once; undefined if there is one alone. */
export function together(alone: readonly Variant[]): Variant | undefined {
  if (alone.length < 2) return undefined;
  const concepts = [...new Set(alone.flatMap((variant) => variant.concepts))];
  return { title: 'together', masks: alone.flatMap(({ masks }) => masks), concepts };
}

function mismatch(where: string, why: string): LetheError {
  return new LetheError('mask-mismatch', {
    what: 'cannot verify the mask',
    where,
    why,
    next: 'name masks of one checkpoint whose concepts are in the campaign',
  });
}
