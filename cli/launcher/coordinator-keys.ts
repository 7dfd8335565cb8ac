import { ensureKeys, isThere } from '../keys/key-folder.ts';
import { keysOf } from '../keys/keys-options.ts';

/**
 * Settings of a local fleet's coordinator that name its keys: those of the environment, else those of the fleet's folder, where
 * a signing key and a trust list are made if there are none.
 *
 * @throws LetheError `key-invalid`, `write-failed`
 */
export async function coordinatorKeys(
  data: string,
  environment: NodeJS.ProcessEnv,
): Promise<Readonly<Record<string, string>>> {
  const keys = keysOf(data);
  const { LETHE_SIGNING_KEY: signingKey, LETHE_FLEET_KEY: fleetKey } = environment;
  const sealing = fleetKey === undefined && (await isThere(keys.fleetKey)) ? { LETHE_FLEET_KEY: keys.fleetKey } : {};
  // A key of one's own comes with a list of one's own.
  if (signingKey !== undefined) return { LETHE_SIGNING_KEY: signingKey, ...sealing };
  await ensureKeys(keys, new Date());
  return { LETHE_SIGNING_KEY: keys.signingKey, LETHE_TRUST_LIST: keys.trustList, ...sealing };
}
