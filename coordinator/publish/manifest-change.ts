import type { RecordedMask } from '../../shared/manifest/change-record.ts';
import type { ActiveMask } from '../../shared/manifest/manifest.ts';
import { conceptKey } from '../../shared/mask/same-concept.ts';

/** A change of what is active: where another change came first, it is made on top of that. */
export type ManifestChange =
  | {
      readonly kind: 'change';
      /** Each takes the place of the mask its concept had. */
      readonly apply: readonly ActiveMask[];
      /** Concepts that are restored. */
      readonly restore: readonly string[];
    }
  /** What was active in a version is active again, and nothing else. */
  | { readonly kind: 'rollback'; readonly target: number }
  /** The same masks, signed by the key that signs now. */
  | { readonly kind: 'sign' };

/** Who makes a change, and why. */
export interface ChangeCause {
  readonly who: string;
  /** May be empty where nothing is forced. */
  readonly why: string;
  /** Masks that no verification stands behind become active too. */
  readonly force: boolean;
}

/** The masks after a delta, in their order. A concept is the same in every spelling of its name; the newest spelling stands. */
export function changedMasks(
  masks: readonly RecordedMask[],
  apply: readonly RecordedMask[],
  restore: readonly string[],
): readonly RecordedMask[] {
  const dropped = new Set([...restore, ...apply.map(({ concept }) => concept)].map(conceptKey));
  const kept = masks.filter(({ concept }) => !dropped.has(conceptKey(concept)));
  const added = new Map(apply.map((each) => [conceptKey(each.concept), each]));
  return [...kept, ...added.values()].sort((a, b) => (a.concept < b.concept ? -1 : 1));
}
