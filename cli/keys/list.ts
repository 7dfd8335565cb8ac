import { Command } from 'commander';
import { readFleetKey } from '../../shared/manifest/fleet-key.ts';
import { readSigningKey } from '../../shared/manifest/signing-key.ts';
import { dataOption } from '../fleet/fleet-settings.ts';
import * as options from '../options.ts';
import { table } from '../output/table.ts';
import { isThere, trustedKeys } from './key-folder.ts';
import { givenKeys, type KeysOptions, keysOption } from './keys-options.ts';
import { readNote } from './rotate-key.ts';

export function keysListCommand(): Command {
  return new Command('list')
    .description('Lists the keys of a folder: which are trusted, which one signs, what masks are sealed with.')
    .addOption(keysOption())
    .addOption(dataOption())
    .addOption(options.jsonOption())
    .addHelpText('after', '\nExample:\n  $ lethe keys list')
    .action(async (given: KeysOptions & { readonly json?: boolean }) => {
      const keys = await givenKeys(given);
      const list = await trustedKeys(keys);
      const signing = (await isThere(keys.signingKey)) ? (await readSigningKey(keys.signingKey)).id : undefined;
      const secrets = (await isThere(keys.fleetKey)) ? (await readFleetKey(keys.fleetKey)).secrets : [];
      const fleet = secrets.map(({ id }) => id);
      const rotation = await readNote(keys);
      if (given.json === true) {
        process.stdout.write(`${JSON.stringify({ folder: keys.folder, signing, keys: list.keys, fleet, rotation })}\n`);
        return;
      }
      const rows = list.keys.map(({ id, state, since }) => [id, state, since, id === signing ? 'signs' : '']);
      const lines = [
        list.keys.length === 0
          ? `no key is trusted in ${keys.folder}: \`lethe keys create\` makes one`
          : table([['key', 'state', 'since', ''], ...rows]),
        ...(signing === undefined || list.keys.some(({ id }) => id === signing)
          ? []
          : [`signing key ${signing} is not in the trust list`]),
        ...fleet.map((id, i) => `fleet key ${id}${i === 0 ? ' (seals)' : ''}`),
        ...(rotation === undefined
          ? []
          : [`a rotation from ${rotation.from} to ${rotation.to} is under way: \`lethe keys rotate\` goes on with it`]),
      ];
      process.stdout.write(`${lines.join('\n')}\n`);
    });
}
