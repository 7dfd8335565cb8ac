import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { keyInvalid, keyText, writeKeyFile } from './key-file.ts';

/** What a coordinator signs with. */
export interface SigningKey {
  /** The first 32 hex digits of the SHA-256 of the public key's 32 bytes. */
  readonly id: string;
  /** The public key: 32 bytes, base64. */
  readonly publicKey: string;
  /** Ed25519. */
  readonly privateKey: KeyObject;
}

const publicLength = 32;
/** A key in PEM has about 120 bytes. */
const sizeLimit = 4096;
/** What stands before the 32 bytes of an Ed25519 key in DER (RFC 8410). */
const derPrefix = Buffer.from('302a300506032b6570032100', 'hex');

export const keyIdSchema = z.string().regex(/^[0-9a-f]{32}$/);

/** 32 bytes in base64, in the one way that encodes them. */
export const publicKeySchema = z
  .string()
  .refine((text) => text.length === 44 && Buffer.from(text, 'base64').toString('base64') === text, {
    message: 'expected 32 bytes in base64',
  });

/** The id of a public key of 32 bytes: nobody chooses it, so no list can give one id to two keys. */
export function keyIdOf(publicKey: Uint8Array): string {
  return createHash('sha256').update(publicKey).digest('hex').slice(0, 32);
}

/** A public key of 32 bytes, base64, as node:crypto takes it. */
export function publicKeyObject(publicKey: string): KeyObject {
  const der = Buffer.concat([derPrefix, Buffer.from(publicKey, 'base64')]);
  return createPublicKey({ key: der, format: 'der', type: 'spki' });
}

/**
 * Makes a signing key and stores it in a new file (PKCS #8, PEM) that its owner alone may read.
 *
 * @throws LetheError `key-invalid` if there is a file, `write-failed`.
 */
export async function createSigningKey(path: string): Promise<SigningKey> {
  const { privateKey } = generateKeyPairSync('ed25519');
  await writeKeyFile(path, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 0o600, false);
  return signingKeyOf(privateKey);
}

/** Reads a signing key. @throws LetheError `key-invalid`, also for a file that others than its owner may read. */
export async function readSigningKey(path: string): Promise<SigningKey> {
  const text = await keyText('signing key', path, sizeLimit, 'secret');
  const next = 'name an Ed25519 key in PEM; `lethe keys create` makes one';
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: text, format: 'pem' });
  } catch (cause) {
    // Not the cause's message: it may quote what is in the file.
    throw keyInvalid('read the signing key', path, 'it is no private key in PEM', next, cause);
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw keyInvalid('read the signing key', path, `its type is ${key.asymmetricKeyType ?? 'unknown'}`, next);
  return signingKeyOf(key);
}

function signingKeyOf(privateKey: KeyObject): SigningKey {
  const der = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const bytes = der.subarray(der.length - publicLength);
  return { id: keyIdOf(bytes), publicKey: bytes.toString('base64'), privateKey };
}
