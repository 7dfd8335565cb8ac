import { Command } from 'commander';
import { type ActiveSet, activeSet } from './fleet/active-set.ts';
import { coordinatorOption, dataOption, type FleetOptions, fleetSettings } from './fleet/fleet-settings.ts';
import { requireFleet } from './fleet/open-fleet.ts';
import * as options from './options.ts';
import { activeText } from './output/active-text.ts';
import { type ListOptions, outputOption, printTables } from './output/list.ts';

export function activeCommand(): Command {
  return new Command('active')
    .addOption(coordinatorOption())
    .addOption(dataOption())
    .addOption(outputOption())
    .addOption(options.jsonOption())
    .addHelpText(
      'after',
      `
A process that serves an older version is behind: it takes the new one over when it can. One that has ended stays listed for
15 seconds.

Example:
  $ lethe active`,
    )
    .action(async (given: FleetOptions & ListOptions) => {
      const client = await requireFleet(await fleetSettings(given));
      try {
        const sets: ActiveSet[] = [];
        for await (const manifest of client.active()) sets.push(await activeSet(client, manifest));
        const names = sets.flatMap(({ manifest }) => manifest.masks.map(({ concept }) => concept));
        printTables(given, { checkpoints: sets.map(asJson) }, names, (terminal) =>
          activeText(sets, Date.now(), terminal),
        );
      } finally {
        client.close();
      }
    });
}

function asJson({ manifest, change, verifications, processes }: ActiveSet): object {
  const { checkpoint, version, masks, union, digest } = manifest;
  const { when, who, why } = change ?? {};
  return {
    checkpoint,
    version,
    when,
    who,
    why,
    masks: masks.map((each) => ({ ...each, verification: verifications.get(each.mask) })),
    union,
    digest,
    processes,
  };
}
