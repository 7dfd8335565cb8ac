import { Option } from 'commander';
import type { ManifestResponse } from '../../gen/fleet/v1/mask.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import type { FleetClient } from './fleet-client.ts';

const applyFirst = 'make masks active with `lethe apply`';

export const checkpointIdOption = (): Option =>
  new Option('--checkpoint <id>', 'id of the checkpoint or its beginning (default: the only one with active masks)');

/**
 * What is active for the checkpoint that is meant (version 0 where that is not to be trusted).
 *
 * @param given the beginning of its id, with or without `sha256:`; undefined: there is only one
 * @returns undefined where nothing was ever active and no checkpoint is named: there is nothing to tell of
 * @throws LetheError `usage` if none of those there are is meant, or several are
 */
export async function activeOf(client: FleetClient, given: string | undefined): Promise<ManifestResponse | undefined> {
  const all: ManifestResponse[] = [];
  for await (const each of client.active()) all.push(each);
  if (all.length === 0 && given === undefined) return undefined;
  const found =
    given === undefined
      ? all
      : all.filter(({ checkpoint }) => checkpoint.startsWith(given) || checkpoint.startsWith(`sha256:${given}`));
  const [first] = found;
  if (first !== undefined && found.length === 1) return first;
  const ids = (found.length > 0 ? found : all).map(({ checkpoint }) => checkpoint.slice(0, 23)).join(', ');
  throw new LetheError('usage', {
    what: 'it is not clear which checkpoint is meant',
    ...(given === undefined ? {} : { where: `--checkpoint ${given}` }),
    why:
      all.length === 0
        ? 'no masks were ever active'
        : found.length === 0
          ? `no such checkpoint ever had active masks; these had: ${ids}`
          : `several have active masks: ${ids}`,
    next: all.length === 0 ? applyFirst : 'name one with --checkpoint, by its id or the beginning of it',
  });
}

/**
 * As `activeOf`, for a change of what is active.
 *
 * @throws LetheError `usage` if none or several are meant
 */
export async function findCheckpoint(client: FleetClient, given: string | undefined): Promise<ManifestResponse> {
  const found = await activeOf(client, given);
  if (found !== undefined) return found;
  throw new LetheError('usage', {
    what: 'it is not clear which checkpoint is meant',
    why: 'no masks were ever active',
    next: applyFirst,
  });
}
