import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { LetheError } from '../error/lethe-error.ts';
import type { FleetKey } from './fleet-key.ts';

/**
 * First bytes of a sealed blob, with the version. Neither a safetensors header's length nor a compressed mask begins like
 * this. Then follow the id of the secret (16 bytes), a nonce (12), the ciphertext and its tag (16).
 */
const magic = Buffer.from('LETHESB1');
const idLength = 16;
const nonceLength = 12;
const tagLength = 16;
const headLength = magic.length + idLength;
/** A union is made anew of its masks; a mask is made by its sweep alone. */
const again = 'apply its masks once more; if that fails too, sweep their campaign again';

/** Whether bytes are those of a sealed blob. */
export function isSealed(bytes: Uint8Array): boolean {
  return Buffer.compare(bytes.subarray(0, magic.length), magic) === 0;
}

/** Whether the blob is sealed with the secret that seals now. */
export function isSealedWith(bytes: Uint8Array, { secrets: [secret] }: FleetKey): boolean {
  return isSealed(bytes) && idOf(bytes) === secret.id;
}

/**
 * Seals a blob: AES-256-GCM under the fleet's first secret and a random nonce. Head and name are authenticated, so a blob
 * cannot be put under the name of another.
 *
 * @param name under which it is stored
 */
export function sealBlob(bytes: Uint8Array, { secrets: [secret] }: FleetKey, name: string): Uint8Array {
  const head = Buffer.concat([magic, Buffer.from(secret.id, 'hex')]);
  const nonce = randomBytes(nonceLength);
  const cipher = createCipheriv('aes-256-gcm', secret.secret, nonce, { authTagLength: tagLength });
  cipher.setAAD(authenticated(head, name));
  const body = cipher.update(bytes);
  return new Uint8Array(Buffer.concat([head, nonce, body, cipher.final(), cipher.getAuthTag()]));
}

/**
 * What was sealed. Bytes that are not sealed are given back: they were stored before there was a fleet key, and their name
 * says what they must hash to.
 *
 * @param fleetKey undefined where none is set
 * @throws LetheError `blob-sealed` without its secret, or for bytes that were altered or stood under another name.
 */
export function openBlob(bytes: Uint8Array, fleetKey: FleetKey | undefined, name: string): Uint8Array {
  if (!isSealed(bytes)) return bytes;
  if (bytes.length < headLength + nonceLength + tagLength) throw sealed(name, 'it ends before its tag', again);
  const secret = fleetKey?.secrets.find(({ id }) => id === idOf(bytes));
  if (secret === undefined)
    throw sealed(
      name,
      fleetKey === undefined ? 'no fleet key is set' : `the fleet key does not hold secret ${idOf(bytes)}`,
      'set LETHE_FLEET_KEY to the file of the key it was sealed with',
    );
  const nonceEnd = headLength + nonceLength;
  const bodyEnd = bytes.length - tagLength;
  const decipher = createDecipheriv('aes-256-gcm', secret.secret, bytes.subarray(headLength, nonceEnd), {
    authTagLength: tagLength,
  });
  decipher.setAAD(authenticated(bytes.subarray(0, headLength), name));
  decipher.setAuthTag(bytes.subarray(bodyEnd));
  try {
    return new Uint8Array(Buffer.concat([decipher.update(bytes.subarray(nonceEnd, bodyEnd)), decipher.final()]));
  } catch (cause) {
    throw sealed(name, 'it was altered, or sealed under another name', again, cause);
  }
}

function idOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(magic.length, headLength)).toString('hex');
}

function authenticated(head: Uint8Array, name: string): Buffer {
  return Buffer.concat([head, Buffer.from(name, 'utf8')]);
}

function sealed(where: string, why: string, next: string, cause?: unknown): LetheError {
  return new LetheError('blob-sealed', { what: 'cannot open a sealed blob', where, why, next, cause });
}
