import { join } from 'node:path';
import { Option } from 'commander';
import { type FleetOptions, fleetSettings } from '../fleet/fleet-settings.ts';
import { type KeyFolder, keyFolder } from './key-folder.ts';

export interface KeysOptions extends FleetOptions {
  readonly keys?: string;
}

export const keysOption = (): Option =>
  new Option('--keys <dir>', 'folder of the keys (default: keys in the folder of the local fleet)');

/** The folder of keys of a local fleet. */
export const keysOf = (data: string): KeyFolder => keyFolder(join(data, 'keys'));

/** The folder that is named, else that of the local fleet. */
export async function givenKeys(given: KeysOptions): Promise<KeyFolder> {
  return given.keys === undefined ? keysOf((await fleetSettings(given)).data) : keyFolder(given.keys);
}
