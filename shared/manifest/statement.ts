import { sign, verify } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from '../unit/canonical-json.ts';
import { statementLimit } from './manifest.ts';
import { keyIdSchema, publicKeyObject, type SigningKey } from './signing-key.ts';
import type { TrustedKey, TrustList } from './trust-list.ts';

/** What is signed. The kind is part of what is signed, so that no statement can be taken for one of another kind. */
export type StatementKind = 'manifest' | 'record';

/** Why a statement is not to be trusted. */
export type StatementFault =
  'not-canonical' | 'malformed' | 'unsigned' | 'unknown-key' | 'retired-key' | 'bad-signature';

export type OpenedStatement<Body> =
  | { readonly kind: 'opened'; readonly body: Body; readonly key: TrustedKey }
  | { readonly kind: 'refused'; readonly reason: StatementFault; readonly why: string };

/** 64 bytes in base64, in the one way that encodes them. */
const signatureSchema = z
  .string()
  .refine((text) => text.length === 88 && Buffer.from(text, 'base64').toString('base64') === text, {
    message: 'expected 64 bytes in base64',
  });

const signed = { key: keyIdSchema, signature: signatureSchema };
const envelopes = {
  manifest: z.strictObject({ manifest: z.unknown(), ...signed }),
  record: z.strictObject({ record: z.unknown(), ...signed }),
} as const;

/** The bytes that a signature is over. */
function signedBytes(kind: StatementKind, body: unknown): Buffer {
  return Buffer.from(`lethe ${kind} 1\n${canonicalJson(body)}`, 'utf8');
}

/** `{ [kind]: body, key, signature }` as canonical JSON (RFC 8785); Ed25519 over the canonical bytes of the body. */
export function signStatement(kind: StatementKind, body: object, key: SigningKey): Uint8Array {
  const signature = sign(null, signedBytes(kind, body), key.privateKey).toString('base64');
  return new Uint8Array(Buffer.from(canonicalJson({ [kind]: body, key: key.id, signature }), 'utf8'));
}

/**
 * What a statement says, if it is to be trusted: what was received equals its own re-encoding, and a key of the list has
 * signed it. Bytes from anywhere; throws nothing.
 *
 * @param retired whether a key that is retired now counts: for history, never for what is in force
 */
export function openStatement<Body>(
  kind: StatementKind,
  schema: z.ZodType<Body>,
  bytes: Uint8Array,
  trust: TrustList,
  retired: 'refused' | 'counts',
): OpenedStatement<Body> {
  const refused = (reason: StatementFault, why: string) => ({ kind: 'refused', reason, why }) as const;
  if (bytes.length > statementLimit)
    return refused('malformed', `it has ${bytes.length} bytes; at most ${statementLimit} are read`);
  const value = jsonOf(bytes);
  if (value === undefined) return refused('malformed', 'it is not JSON');
  if (isUnsigned(value, kind)) return refused('unsigned', 'it has no key or no signature');
  const envelope = envelopes[kind].safeParse(value);
  if (!envelope.success) return refused('malformed', describe(envelope.error));
  const given = (value as Readonly<Record<string, unknown>>)[kind];
  const parsed = schema.safeParse(given);
  if (!parsed.success) return refused('malformed', describe(parsed.error));
  // Of what was received, not of what the schema made of it: nothing may be left out.
  if (!Buffer.from(canonicalJson(value), 'utf8').equals(bytes))
    return refused('not-canonical', 'its bytes are not the canonical form (RFC 8785) of what they say');
  const { key: id, signature } = envelope.data;
  const key = trust.keys.find((each) => each.id === id);
  if (key === undefined) return refused('unknown-key', `key ${id} is not in the trust list`);
  if (key.state === 'retired' && retired === 'refused')
    return refused('retired-key', `key ${id} is retired since ${key.since}`);
  if (!verify(null, signedBytes(kind, given), publicKeyObject(key.key), Buffer.from(signature, 'base64')))
    return refused('bad-signature', `key ${id} has not signed this`);
  return { kind: 'opened', body: parsed.data, key };
}

function describe({ issues: [issue] }: z.ZodError): string {
  const where = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
  return `${where}${issue?.message ?? 'it has another shape'}`;
}

/** A body without an envelope (a manifest of a build that did not sign), or an envelope without a signature. */
function isUnsigned(value: unknown, kind: StatementKind): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return 'format' in value || (kind in value && !('key' in value && 'signature' in value));
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
