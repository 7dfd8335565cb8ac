import { z } from 'zod';
import { linesOf } from '../config/problem.ts';
import { schemaProblems } from '../config/schema-problems.ts';
import { readYaml } from '../config/yaml-file.ts';
import { keyInvalid, keyText } from './key-file.ts';
import { keyIdOf, keyIdSchema, publicKeySchema } from './signing-key.ts';

/** A public key that statements are, or were, signed with. */
export interface TrustedKey {
  /** The first 32 hex digits of the SHA-256 of its 32 bytes. */
  readonly id: string;
  /** Its 32 bytes, base64. */
  readonly key: string;
  /** What a retired key signed is history: manifests under it are refused. */
  readonly state: 'active' | 'retired';
  /** Time (ISO 8601) from which it has that state. */
  readonly since: string;
}

/** Whose signatures count: a file that is mounted where manifests are judged. */
export interface TrustList {
  readonly keys: readonly TrustedKey[];
}

/** Bytes of a trust list at most: a thousand keys. */
const sizeLimit = 256 * 1024;

const keySchema = z
  .strictObject({
    id: keyIdSchema,
    key: publicKeySchema,
    state: z.enum(['active', 'retired']),
    since: z.iso.datetime(),
  })
  .refine(({ id, key }) => keyIdOf(Buffer.from(key, 'base64')) === id, {
    path: ['id'],
    message: 'it is not the id of this key',
  });

const schema = z
  .strictObject({ format: z.literal('lethe-trust-1'), keys: z.array(keySchema).max(1000) })
  .superRefine(({ keys }, context) => {
    keys.forEach(({ id }, i) => {
      if (keys.findIndex((other) => other.id === id) < i)
        context.addIssue({ code: 'custom', path: ['keys', i, 'id'], message: 'the key is there twice' });
    });
  });

/** Reads a trust list. @throws LetheError `key-invalid` naming file, line and key of everything that is wrong. */
export async function readTrustList(path: string): Promise<TrustList> {
  return parseTrustList(await keyText('trust list', path, sizeLimit, 'public'), path);
}

/** @param path for errors. @throws LetheError `key-invalid` */
export function parseTrustList(text: string, path: string): TrustList {
  // The reader of YAML tells where things stand; what is JSON, JSON.parse alone decides.
  const file = readYaml(text);
  const value = jsonOf(text);
  const parsed = schema.safeParse(value, { reportInput: true });
  if (parsed.success && file.problems.length === 0) return { keys: parsed.data.keys };
  const known: Readonly<Record<number, readonly string[]>> = { 0: Object.keys(schema.shape) };
  const problems = [
    ...file.problems,
    ...(value === undefined && file.problems.length === 0 ? [{ offset: 0, key: '', problem: 'it is not JSON' }] : []),
    ...(parsed.success || value === undefined
      ? []
      : schemaProblems(parsed.error, file, (at) => known[at.length] ?? Object.keys(keySchema.shape))),
  ];
  const positionOf = linesOf(text);
  const lines = problems.map(({ offset, key, problem }) => {
    const { line, column } = positionOf(offset);
    return `${line}:${column} ${key === '' ? '' : `${key}: `}${problem}`;
  });
  throw keyInvalid(
    'read the trust list',
    path,
    [...new Set(lines)].slice(0, 20).join('\n'),
    'correct these lines; `lethe keys list` shows the list that `lethe keys` keeps',
  );
}

/** The text of a trust list, for `parseTrustList`. */
export function trustListText({ keys }: TrustList): string {
  return `${JSON.stringify({ format: 'lethe-trust-1', keys }, null, 2)}\n`;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
