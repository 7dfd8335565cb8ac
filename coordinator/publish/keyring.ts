import { LetheError } from '../../shared/error/lethe-error.ts';
import { readSigningKey, type SigningKey } from '../../shared/manifest/signing-key.ts';
import { readTrustList, type TrustList } from '../../shared/manifest/trust-list.ts';

/** What a coordinator signs with, and whose signatures it counts. */
export interface Keyring {
  /** The key that signs now. @throws LetheError `signing-unavailable`, `key-invalid` */
  signing(): Promise<SigningKey>;
  /** @throws LetheError `signing-unavailable`, `key-invalid` */
  trust(): Promise<TrustList>;
}

/**
 * Keys in files that may be replaced while the coordinator runs: they are read whenever they are needed. Without a trust
 * list the signing key alone is trusted.
 */
export function fileKeyring(signingKey: string | undefined, trustList: string | undefined): Keyring {
  const trust = async (): Promise<TrustList> => {
    if (trustList !== undefined) return readTrustList(trustList);
    if (signingKey === undefined) throw unavailable('it has neither a signing key nor a trust list');
    const { id, publicKey } = await readSigningKey(signingKey);
    return { keys: [{ id, key: publicKey, state: 'active', since: new Date(0).toISOString() }] };
  };
  return {
    trust,
    async signing() {
      if (signingKey === undefined) throw unavailable('it has no signing key');
      const key = await readSigningKey(signingKey);
      const { keys } = await trust();
      // Nobody would serve by what it signs.
      if (keys.some(({ id, state }) => id === key.id && state === 'active')) return key;
      const state = keys.find(({ id }) => id === key.id)?.state;
      throw unavailable(`its signing key ${key.id} is ${state === undefined ? 'not in' : 'retired in'} the trust list`);
    },
  };
}

function unavailable(why: string): LetheError {
  return new LetheError('signing-unavailable', {
    what: 'this coordinator cannot change or tell what is active',
    why,
    next: 'make keys with `lethe keys create`, and name them to the coordinator with LETHE_SIGNING_KEY and LETHE_TRUST_LIST',
  });
}
