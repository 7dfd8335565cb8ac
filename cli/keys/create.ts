import { Command } from 'commander';
import { createFleetKey } from '../../shared/manifest/fleet-key.ts';
import { keyInvalid } from '../../shared/manifest/key-file.ts';
import { dataOption } from '../fleet/fleet-settings.ts';
import * as options from '../options.ts';
import { ensureKeys, isThere } from './key-folder.ts';
import { givenKeys, type KeysOptions, keysOption } from './keys-options.ts';
import { printResult } from '../output/print.ts';
import { makeFolder } from '../../shared/lock/make-folder.ts';

interface CreateOptions extends KeysOptions {
  readonly fleet?: boolean;
  readonly json?: boolean;
}

export function keysCreateCommand(): Command {
  return new Command('create')
    .description('Makes a signing key and the trust list that names it, or the fleet key that masks are sealed with.')
    .option('--fleet', 'the fleet key instead')
    .addOption(keysOption())
    .addOption(dataOption())
    .addOption(options.jsonOption())
    .addHelpText(
      'after',
      `
\`lethe up\` makes a signing key and a trust list by itself. On a cluster, mount the signing key where coordinators run
(LETHE_SIGNING_KEY), the trust list there and where models are served (LETHE_TRUST_LIST), and the fleet key, if there is one,
at both (LETHE_FLEET_KEY). Only their owner may read signing and fleet key. A key that is there is never replaced.

Example:
  $ lethe keys create --keys ./keys && lethe keys create --fleet --keys ./keys`,
    )
    .action(async (given: CreateOptions) => {
      const keys = await givenKeys(given);
      await makeFolder(keys.folder);
      if (given.fleet === true) {
        const { secrets } = await createFleetKey(keys.fleetKey);
        const [{ id }] = secrets;
        printResult(given, { fleet: id, file: keys.fleetKey }, `fleet key ${id} in ${keys.fleetKey}`);
        return;
      }
      if ((await isThere(keys.signingKey)) && (await isThere(keys.trustList)))
        throw keyInvalid(
          'make a signing key',
          keys.signingKey,
          'there is one, and a trust list beside it',
          'use it, put another in its place with `lethe keys rotate`, or name another folder with --keys',
        );
      const { id } = await ensureKeys(keys, new Date());
      printResult(
        given,
        { signing: id, file: keys.signingKey, trustList: keys.trustList },
        `signing key ${id} in ${keys.signingKey}, trusted by ${keys.trustList}`,
      );
    });
}
