import { z } from 'zod';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { type SiteName, sites } from '../../shared/model/site.ts';
import { canonicalJson } from '../../shared/unit/canonical-json.ts';

/** Parts that stored values have in common. */
export const hash = z.string().regex(/^[0-9a-f]{64}$/);
export const site = z.enum(sites.map(({ name }) => name) as [SiteName, ...SiteName[]]);
export const name = z.string().min(1).max(1000);
export const count = z.int().min(0);

/** A blob as `Blobs.put` tells it. */
export const blob = z.object({ name, digest: hash, size: count });
export type BlobName = z.infer<typeof blob>;

/** An error as it is stored: the shape of LetheError. */
export const failure = z.object({
  code: name,
  what: z.string(),
  where: z.string(),
  why: z.string(),
  next: z.string(),
  layer: z.string().optional().transform((value) => value),
  step: z.number().optional().transform((value) => value),
});
export type StoredFailure = z.infer<typeof failure>;

/** A failure of this process as it is stored. */
export function failureOf(error: unknown): StoredFailure {
  if (error instanceof LetheError) {
    const { code, what, where = '', why, next, layer, step } = error;
    return { code, what, where, why, next, layer, step };
  }
  const why = error instanceof Error ? error.message : String(error);
  return { code: 'internal', what: 'something unforeseen failed', where: '', why, next: 'report this with the log around it', layer: undefined, step: undefined };
}

/** Canonical, so that offering the same value twice offers the same bytes. */
export function encodeStored(value: object): Uint8Array {
  return Buffer.from(canonicalJson(value), 'utf8');
}

/** @throws LetheError `record-invalid` for bytes that nothing of this release has stored. */
export function decodeStored<T>(schema: z.ZodType<T>, bytes: Uint8Array, where: string): T {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw invalid(where, 'it is no JSON', cause);
  }
  const { data, error } = schema.safeParse(value);
  if (data !== undefined) return data;
  throw invalid(where, (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
}

function invalid(where: string, why: string, cause?: unknown): LetheError {
  return new LetheError('record-invalid', {
    what: 'cannot read what is stored',
    where,
    why,
    next: 'look at who else writes to this NATS; coordinators of two releases at once must follow each other',
    cause,
  });
}
