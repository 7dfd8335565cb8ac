import { Option } from 'commander';
import type { ManifestResponse } from '../../gen/fleet/v1/mask.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import type { FleetClient } from './fleet-client.ts';

export const checkpointIdOption = (): Option =>
  new Option('--checkpoint <id>', 'id of the checkpoint or its beginning (default: the only one with active masks)');

/**
 * The checkpoint that is meant, and what is active for it (version 0 where that is not to be trusted).
 *
 * @param given the beginning of its id, with or without `sha256:`; undefined: there is only one
 * @throws LetheError `usage` if none or several are meant
 */
export async function findCheckpoint(client: FleetClient, given: string | undefined): Promise<ManifestResponse> {
  const all: ManifestResponse[] = [];
  for await (const each of client.active()) all.push(each);
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
    next:
      all.length === 0
        ? 'make masks active with `lethe apply`'
        : 'name one with --checkpoint, by its id or the beginning of it',
  });
}
