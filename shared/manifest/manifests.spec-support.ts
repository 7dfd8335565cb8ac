import { generateKeyPairSync } from 'node:crypto';
import type { Manifest } from './manifest.ts';
import { keyIdOf, type SigningKey } from './signing-key.ts';
import type { TrustedKey, TrustList } from './trust-list.ts';

export const checkpoint = `sha256:${'c'.repeat(64)}`;

/** A signing key that is in no file. */
export function newKey(): SigningKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const bytes = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  return { id: keyIdOf(bytes), publicKey: bytes.toString('base64'), privateKey };
}

export function trustIn(...keys: readonly (SigningKey | readonly [SigningKey, TrustedKey['state']])[]): TrustList {
  return {
    keys: keys.map((each): TrustedKey => {
      const [{ id, publicKey }, state] = 'id' in each ? [each, 'active' as const] : each;
      return { id, key: publicKey, state, since: '2026-01-02T03:04:05.000Z' };
    }),
  };
}

export const manifest: Manifest = {
  format: 'lethe-manifest-1',
  checkpoint,
  version: 7,
  masks: [
    { concept: 'Neon', mask: '1'.repeat(64) },
    { concept: 'violin “été”', mask: '2'.repeat(64) },
  ],
  union: '3'.repeat(64),
  audit: '4'.repeat(64),
};
