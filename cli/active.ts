import { Command } from 'commander';
import { type ActiveSet, activeSet } from './fleet/active-set.ts';
import { coordinatorOption, dataOption, type FleetOptions, fleetSettings } from './fleet/fleet-settings.ts';
import { requireFleet } from './fleet/open-fleet.ts';
import * as options from './options.ts';
import { activeText } from './output/active-text.ts';

export function activeCommand(): Command {
  return new Command('active')
    .addOption(coordinatorOption())
    .addOption(dataOption())
    .addOption(options.jsonOption())
    .addHelpText(
      'after',
      `
A process that serves an older version is behind: it takes the new one over when it can. One that has ended stays listed for
15 seconds.

Example:
  $ lethe active`,
    )
    .action(async (given: FleetOptions & { readonly json?: boolean }) => {
      const client = await requireFleet(await fleetSettings(given));
      try {
        const sets: ActiveSet[] = [];
        for await (const manifest of client.active()) sets.push(await activeSet(client, manifest));
        process.stdout.write(
          given.json === true
            ? `${JSON.stringify({ checkpoints: sets.map(asJson) })}\n`
            : `${activeText(sets, Date.now())}\n`,
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
