import { Command } from 'commander';
import { readFleetKey } from '../../shared/manifest/fleet-key.ts';
import { readSigningKey } from '../../shared/manifest/signing-key.ts';
import { dataOption } from '../fleet/fleet-settings.ts';
import * as options from '../options.ts';
import { type ListColumn, type ListOptions, outputOption, printList } from '../output/list.ts';
import type { TrustedKey } from '../../shared/manifest/trust-list.ts';
import { isThere, trustedKeys } from './key-folder.ts';
import { givenKeys, type KeysOptions, keysOption } from './keys-options.ts';
import { readNote } from './rotate-key.ts';

export function keysListCommand(): Command {
  return new Command('list')
    .description('Lists the keys of a folder: which are trusted, which one signs, what masks are sealed with.')
    .addOption(keysOption())
    .addOption(dataOption())
    .addOption(outputOption())
    .addOption(options.jsonOption())
    .addHelpText('after', '\nExample:\n  $ lethe keys list')
    .action(async (given: KeysOptions & ListOptions) => {
      const keys = await givenKeys(given);
      const list = await trustedKeys(keys);
      const signing = (await isThere(keys.signingKey)) ? (await readSigningKey(keys.signingKey)).id : undefined;
      const secrets = (await isThere(keys.fleetKey)) ? (await readFleetKey(keys.fleetKey)).secrets : [];
      const fleet = secrets.map(({ id }) => id);
      const rotation = await readNote(keys);
      const columns: readonly ListColumn<TrustedKey>[] = [
        { heading: 'key', cell: ({ id }) => id },
        { heading: 'state', cell: ({ state }) => state, when: 'kept' },
        { heading: 'since', cell: ({ since }) => since },
        { heading: '', cell: ({ id }) => (id === signing ? 'signs' : ''), when: 'kept' },
      ];
      const below = [
        ...(signing === undefined || list.keys.some(({ id }) => id === signing)
          ? []
          : [`signing key ${signing} is not in the trust list`]),
        ...fleet.map((id, i) => `fleet key ${id}${i === 0 ? ' (seals)' : ''}`),
        ...(rotation === undefined
          ? []
          : [`a rotation from ${rotation.from} to ${rotation.to} is under way: \`lethe keys rotate\` goes on with it`]),
      ];
      const none = [`no key is trusted in ${keys.folder}: \`lethe keys create\` makes one`, ...below].join('\n');
      const json = { folder: keys.folder, signing, keys: list.keys, fleet, rotation };
      printList(given, { rows: list.keys, columns, name: ({ id }) => id, json, none, below });
    });
}
