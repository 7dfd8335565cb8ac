import type { Manifest } from './manifest.ts';
import type { SigningKey } from './signing-key.ts';
import { signStatement } from './statement.ts';

/**
 * A manifest as it is published: the canonical JSON (RFC 8785) of `{ key, manifest, signature }`. Ed25519 over
 * `lethe manifest 1`, a line feed, and the canonical bytes of the manifest. The same manifest and key give the same bytes.
 */
export function signManifest(manifest: Manifest, key: SigningKey): Uint8Array {
  return signStatement('manifest', manifest, key);
}
