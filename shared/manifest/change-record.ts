import { createHash } from 'node:crypto';
import { z } from 'zod';
import { activeMaskSchema, hashSchema, inOrder, type Manifest, versionSchema } from './manifest.ts';
import type { SigningKey } from './signing-key.ts';
import { signStatement } from './statement.ts';

/** An active mask, and what stands behind it. */
const recordedMaskSchema = activeMaskSchema.extend({
  /** Hash of the report of the verification that it passed; absent where nobody has verified it. */
  verification: hashSchema.optional(),
});
export type RecordedMask = z.infer<typeof recordedMaskSchema>;

/** Characters of a name and of a reason. */
export const whoLimit = 200;
export const whyLimit = 2000;

export const changeRecordSchema = z
  .strictObject({
    format: z.literal('lethe-audit-1'),
    checkpoint: z.string().min(1).max(1000),
    /** That the change makes. */
    version: versionSchema,
    /** Time of the coordinator that made it. */
    when: z.iso.datetime(),
    who: z.string().min(1).max(whoLimit),
    /** May be empty: a reason is demanded only where rules are set aside. */
    why: z.string().max(whyLimit),
    /** `sign`: the same masks, signed by another key. */
    action: z.enum(['apply', 'restore', 'rollback', 'sign']),
    /** Of a rollback: the version whose masks are active again. */
    target: versionSchema.optional(),
    /** Whether masks became active that no verification stands behind. */
    forced: z.boolean(),
    /** After the change, by concept. */
    masks: z.array(recordedMaskSchema),
    union: hashSchema.optional(),
    /** Hash of the record before, absent in the first. */
    previous: hashSchema.optional(),
  })
  .refine(({ masks }) => inOrder(masks), { path: ['masks'], message: 'concepts are not in their order, each once' })
  .refine(({ masks, union }) => (masks.length === 0) === (union === undefined), {
    path: ['union'],
    message: 'there is one exactly where masks are active',
  });

/** Who changed what is active and why, what it was then, and what came before. */
export type ChangeRecord = z.infer<typeof changeRecordSchema>;

/** A record as it is appended to the audit log: canonical JSON (RFC 8785) of `{ key, record, signature }`. */
export function signRecord(record: ChangeRecord, key: SigningKey): Uint8Array {
  return signStatement('record', record, key);
}

/** What the next record and the manifest name a record by: SHA-256 of its signed bytes, 64 hex digits. */
export function recordHash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The manifest that a record was made for: the same whoever publishes it. */
export function manifestOf({ checkpoint, version, masks, union }: ChangeRecord, hash: string): Manifest {
  return {
    format: 'lethe-manifest-1',
    checkpoint,
    version,
    masks: masks.map(({ concept, mask }) => ({ concept, mask })),
    ...(union === undefined ? {} : { union }),
    audit: hash,
  };
}
