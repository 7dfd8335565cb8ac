import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from '../unit/canonical-json.ts';

/** Bytes of a signed statement at most. NATS takes messages of 1 MiB. */
export const statementLimit = 900_000;

/** Far more changes than anyone makes, and far below the numbers that JSON cannot tell apart. */
export const versionLimit = 2 ** 40;

export const hashSchema = z.string().regex(/^[0-9a-f]{64}$/);
export const versionSchema = z.int().min(1).max(versionLimit);

/** A mask that is active, and the concept it prunes. */
export interface ActiveMask {
  readonly concept: string;
  /** Hash of its canonical bytes. */
  readonly mask: string;
}

export const activeMaskSchema = z.strictObject({ concept: z.string().min(1).max(1000), mask: hashSchema });

/** Which masks are active for a checkpoint. Of two, the one with the higher version counts. */
export interface Manifest {
  readonly format: 'lethe-manifest-1';
  /** Id of the checkpoint. */
  readonly checkpoint: string;
  /** Grows with every change. */
  readonly version: number;
  /** By concept in the order of UTF-16 code units, each once. */
  readonly masks: readonly ActiveMask[];
  /** Hash of their union: the one file that a worker fetches. Absent where nothing is active. */
  readonly union?: string | undefined;
  /** Hash of the audit record that it was made for. */
  readonly audit: string;
}

export const manifestSchema = z
  .strictObject({
    format: z.literal('lethe-manifest-1'),
    checkpoint: z.string().min(1).max(1000),
    version: versionSchema,
    masks: z.array(activeMaskSchema),
    union: hashSchema.optional(),
    audit: hashSchema,
  })
  .refine(({ masks }) => inOrder(masks), { path: ['masks'], message: 'concepts are not in their order, each once' })
  .refine(({ masks, union }) => (masks.length === 0) === (union === undefined), {
    path: ['union'],
    message: 'there is one exactly where masks are active',
  });

/** Whether every concept is there once, in the order of UTF-16 code units. */
export function inOrder(masks: readonly { readonly concept: string }[]): boolean {
  return masks.every(({ concept }, i) => i === 0 || (masks[i - 1]?.concept ?? '') < concept);
}

/** SHA-256 of a manifest's canonical bytes (RFC 8785), 64 hex digits: the same under every key that signs it. */
export function manifestDigest(manifest: Manifest): string {
  return createHash('sha256').update(canonicalJson(manifest)).digest('hex');
}
