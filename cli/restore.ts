import { Command } from 'commander';
import { closest } from '../shared/config/closest.ts';
import { LetheError } from '../shared/error/lethe-error.ts';
import { conceptKey, isSameConcept } from '../shared/mask/same-concept.ts';
import { timeoutOption } from './fleet/await-serving.ts';
import { causeOf, type CauseOptions, reasonOption, whoOption } from './fleet/change-cause.ts';
import { type ChangeOptions, changeMasks, dryRunOption } from './fleet/change-masks.ts';
import { checkpointIdOption, findCheckpoint } from './fleet/find-checkpoint.ts';
import { coordinatorOption, dataOption, type FleetOptions, fleetSettings } from './fleet/fleet-settings.ts';
import { requireFleet } from './fleet/open-fleet.ts';
import * as options from './options.ts';

type RestoreOptions = ChangeOptions & CauseOptions & FleetOptions & { readonly checkpoint?: string };

export function restoreCommand(): Command {
  return new Command('restore')
    .argument('<concept...>', 'concepts whose masks are active')
    .addOption(checkpointIdOption())
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
The masks stay; \`lethe apply\` makes them active again. Exit code 1 if serving processes have not taken the change over in
time: they are named, and the change stands.

Example:
  $ lethe restore violin --reason "the licence came"`,
    )
    .action(async (concepts: readonly string[], given: RestoreOptions) => {
      const client = await requireFleet(await fleetSettings(given));
      try {
        const { checkpoint, version, masks } = await findCheckpoint(client, given.checkpoint);
        const unknown = concepts.filter((name) => !masks.some(({ concept }) => isSameConcept(concept, name)));
        if (unknown.length > 0) throw notActive(unknown, version, masks);
        const restored = [...new Map(concepts.map((name) => [conceptKey(name), name])).values()];
        const change = (dryRun: boolean) => client.apply(checkpoint, [], restored, causeOf(given), dryRun);
        await changeMasks(client, checkpoint, change, given);
      } finally {
        client.close();
      }
    });
}

function notActive(
  unknown: readonly string[],
  version: number,
  masks: readonly { readonly concept: string }[],
): LetheError {
  const meant = closest(
    unknown[0] ?? '',
    masks.map(({ concept }) => concept),
  );
  const active = masks.map(({ concept }) => concept).join(', ');
  return new LetheError('mask-missing', {
    what: 'cannot restore the concepts',
    where: unknown.join(', '),
    why: `no mask of them is active; in version ${version} ${active === '' ? 'nothing is' : `these are: ${active}`}`,
    next: `${meant === undefined ? '' : `did you mean ${meant}? `}\`lethe active\` shows what is active, \`lethe history\` what was when`,
  });
}
