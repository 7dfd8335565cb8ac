import { z } from 'zod';
import { hash, name } from '../store/stored-json.ts';

/** A mask that is active, and the concept it prunes. */
const activeMask = z.object({ concept: name, mask: hash });
export type ActiveMask = z.infer<typeof activeMask>;

/** Which masks are active for a checkpoint. Of two, the one with the higher version counts. */
export const manifestSchema = z.object({
  format: z.literal('lethe-manifest-1'),
  checkpoint: name,
  /** 1 for the first, and 1 more for every change. */
  version: z.int().min(1),
  /** By concept, each once. */
  masks: z.array(activeMask),
  /** Their union: the one file that a worker fetches. Absent where nothing is active. */
  union: hash.optional(),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** A change of what is active: it is applied again to what another change has left. */
export interface ManifestChange {
  /** Each takes the place of the mask its concept had. */
  readonly apply: readonly ActiveMask[];
  /** Concepts that are restored. */
  readonly restore: readonly string[];
}

/** The masks after a change, in their order. */
export function changedMasks(masks: readonly ActiveMask[], { apply, restore }: ManifestChange): readonly ActiveMask[] {
  const byConcept = new Map(masks.map((each) => [each.concept, each]));
  for (const concept of restore) byConcept.delete(concept);
  for (const each of apply) byConcept.set(each.concept, each);
  return [...byConcept.values()].sort((a, b) => (a.concept < b.concept ? -1 : 1));
}
