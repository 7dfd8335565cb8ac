import { Command } from 'commander';
import { versionLimit } from '../shared/manifest/manifest.ts';
import { timeoutOption } from './fleet/await-serving.ts';
import { causeOf, type CauseOptions, forceOption, reasonOption, whoOption } from './fleet/change-cause.ts';
import { type ChangeOptions, changeMasks, dryRunOption } from './fleet/change-masks.ts';
import { checkpointIdOption, findCheckpoint } from './fleet/find-checkpoint.ts';
import { coordinatorOption, dataOption, type FleetOptions, fleetSettings } from './fleet/fleet-settings.ts';
import { requireFleet } from './fleet/open-fleet.ts';
import * as options from './options.ts';

type RollbackOptions = ChangeOptions & CauseOptions & FleetOptions & { readonly checkpoint?: string };

export function rollbackCommand(): Command {
  return new Command('rollback')
    .argument('<version>', 'as `lethe history` lists it', options.integer(1, versionLimit))
    .addOption(checkpointIdOption())
    .addOption(forceOption('also a version with masks'))
    .addOption(reasonOption())
    .addOption(whoOption())
    .addOption(dryRunOption())
    .addOption(timeoutOption())
    .addOption(coordinatorOption())
    .addOption(dataOption())
    .addOption(options.jsonOption())
    .addHelpText(
      'after',
      `
Versions only grow: the old contents are signed anew. Masks that would become active again and that no verification stands behind
today are refused, as \`lethe apply\` does. Exit code 1 if serving processes have not taken the change over in time:
they are named, and the change stands.

Example:
  $ lethe rollback 12 --reason "version 13 lost the dogs"`,
    )
    .action(async (version: number, given: RollbackOptions) => {
      const cause = causeOf(given);
      const client = await requireFleet(await fleetSettings(given));
      try {
        const { checkpoint } = await findCheckpoint(client, given.checkpoint);
        await changeMasks(client, checkpoint, (dryRun) => client.rollback(checkpoint, version, cause, dryRun), given);
      } finally {
        client.close();
      }
    });
}
