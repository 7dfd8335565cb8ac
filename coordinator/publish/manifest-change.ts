import type { RecordedMask } from '../../shared/manifest/change-record.ts';
import type { ActiveMask } from '../../shared/manifest/manifest.ts';

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

/** The masks after a delta, in their order. */
export function changedMasks(
  masks: readonly RecordedMask[],
  apply: readonly RecordedMask[],
  restore: readonly string[],
): readonly RecordedMask[] {
  const byConcept = new Map(masks.map((each) => [each.concept, each]));
  for (const concept of restore) byConcept.delete(concept);
  for (const each of apply) byConcept.set(each.concept, each);
  return [...byConcept.values()].sort((a, b) => (a.concept < b.concept ? -1 : 1));
}
