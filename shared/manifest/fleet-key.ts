import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { keyInvalid, keyText, writeKeyFile } from './key-file.ts';

/** One secret that blobs are sealed with. */
export interface FleetSecret {
  /** The first 16 bytes of the SHA-256 of `lethe fleet key 1`, a line feed, and the secret; 32 hex digits. */
  readonly id: string;
  /** 32 bytes: AES-256. */
  readonly secret: Uint8Array;
}

/** The secrets of a fleet. The first one seals; all of them open, so that what was sealed before a change stays readable. */
export interface FleetKey {
  readonly secrets: readonly [FleetSecret, ...FleetSecret[]];
}

const sizeLimit = 16 * 1024;
const mostSecrets = 64;
const secretSchema = z
  .string()
  .refine((text) => text.length === 44 && Buffer.from(text, 'base64').toString('base64') === text, {
    message: 'expected 32 bytes in base64',
  });
const schema = z.strictObject({
  format: z.literal('lethe-fleet-key-1'),
  secrets: z.array(secretSchema).min(1).max(mostSecrets),
});

/**
 * Makes a fleet key and stores it in a new file that its owner alone may read.
 *
 * @throws LetheError `key-invalid` if there is a file, `write-failed`.
 */
export async function createFleetKey(path: string): Promise<FleetKey> {
  const fleetKey: FleetKey = { secrets: [secretOf(randomBytes(32))] };
  await writeKeyFile(path, fleetKeyText(fleetKey), 0o600, false);
  return fleetKey;
}

/**
 * Puts a new secret before those of a fleet key: it seals from then on, and the others still open.
 *
 * @throws LetheError `key-invalid`, also where there is no room for one more secret; `write-failed`
 */
export async function renewFleetKey(path: string): Promise<FleetKey> {
  const { secrets } = await readFleetKey(path);
  if (secrets.length >= mostSecrets)
    throw keyInvalid(
      'put a new secret into the fleet key',
      path,
      `it holds ${secrets.length} secrets, and no more than ${mostSecrets} are read`,
      `remove the oldest, ${secrets.at(-1)?.id ?? ''}, once no mask that you keep is sealed with it (\`lethe apply\` seals active masks with the newest): it is the last of "secrets"`,
    );
  const renewed: FleetKey = { secrets: [secretOf(randomBytes(32)), ...secrets] };
  await writeKeyFile(path, fleetKeyText(renewed), 0o600, true);
  return renewed;
}

/** Reads a fleet key. @throws LetheError `key-invalid`, also for a file that others than its owner may read. */
export async function readFleetKey(path: string): Promise<FleetKey> {
  const text = await keyText('fleet key', path, sizeLimit, 'secret');
  const { data, error } = schema.safeParse(jsonOf(text));
  const [first, ...others] = (data?.secrets ?? []).map((secret) => secretOf(Buffer.from(secret, 'base64')));
  if (first !== undefined) return { secrets: [first, ...others] };
  const [issue] = error?.issues ?? [];
  const where = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
  throw keyInvalid(
    'read the fleet key',
    path,
    `${where}${issue?.message ?? 'it holds no secret'}`,
    'name a file that `lethe keys create --fleet` has made',
  );
}

/** The text of a fleet key's file. */
function fleetKeyText({ secrets }: FleetKey): string {
  const encoded = secrets.map(({ secret }) => Buffer.from(secret).toString('base64'));
  return `${JSON.stringify({ format: 'lethe-fleet-key-1', secrets: encoded }, null, 2)}\n`;
}

function secretOf(secret: Uint8Array): FleetSecret {
  const id = createHash('sha256').update('lethe fleet key 1\n').update(secret).digest('hex').slice(0, 32);
  return { id, secret };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
