import { z } from 'zod';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { type SiteName, sites } from '../../shared/model/site.ts';
import { canonicalJson } from '../../shared/unit/canonical-json.ts';

/** Parts that stored values have in common. */
export const hash = z.string().regex(/^[0-9a-f]{64}$/);
export const site = z.enum(sites.map(({ name }) => name) as [SiteName, ...SiteName[]]);
/** What is wanted of a unit. */
export const output = z.union([site, z.literal('image')]);
export const name = z.string().min(1).max(1000);
export const count = z.int().min(0);

/** A blob as `Blobs.put` tells it. */
export const blob = z.object({ name, digest: hash, size: count });

/** An error as it is stored: the shape of LetheError. */
export const failure = z.object({
  code: name,
  what: z.string(),
  where: z.string(),
  why: z.string(),
  next: z.string(),
  layer: z.string().optional(),
  step: z.number().optional(),
});
export interface StoredFailure {
  readonly code: string;
  readonly what: string;
  readonly where: string;
  readonly why: string;
  readonly next: string;
  readonly layer?: string | undefined;
  readonly step?: number | undefined;
}

/** A stored failure as an error of this process. */
export function errorOf({ code, layer, step, ...failure }: StoredFailure): LetheError {
  // A later release may have stored a code that is not known here: it is passed on as it is.
  return new LetheError(code as LetheError['code'], {
    ...failure,
    ...(layer === undefined ? {} : { layer }),
    ...(step === undefined ? {} : { step }),
  });
}

/** A failure of this process as it is stored. */
export function failureOf(error: unknown): StoredFailure {
  if (error instanceof LetheError) {
    const { code, what, where = '', why, next, layer, step } = error;
    return { code, what, where, why, next, layer, step };
  }
  const why = error instanceof Error ? error.message : String(error);
  return {
    code: 'internal',
    what: 'something unforeseen failed',
    where: '',
    why,
    next: 'report this with the log around it',
    layer: undefined,
    step: undefined,
  };
}

/** Canonical, so that offering the same value twice offers the same bytes. */
export function encodeStored(value: object): Uint8Array {
  return Buffer.from(canonicalJson(value), 'utf8');
}

/**
 * @param where subject or key, for people who have to find it
 * @throws LetheError `record-invalid` for bytes that nothing of this release has stored.
 */
export function decodeStored<T>(schema: z.ZodType<T>, bytes: Uint8Array, where: string): T {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw invalidRecord(where, 'it is no JSON', cause);
  }
  const { data, error } = schema.safeParse(value);
  if (data !== undefined) return data;
  throw invalidRecord(
    where,
    (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '),
  );
}

/** A stored value that cannot be read. */
export function invalidRecord(where: string, why: string, cause?: unknown): LetheError {
  return new LetheError('record-invalid', {
    what: 'cannot read what is stored',
    where,
    why,
    next: 'run coordinators of the release that stored it; where it is damaged, remove it as docs/guide/fleet.md says and run the same command again: what it stood for is made anew',
    cause,
  });
}
