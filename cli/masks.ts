import { Command } from 'commander';
import { coordinatorOption, dataOption, type FleetOptions, fleetSettings } from './fleet/fleet-settings.ts';
import { type KnownMask, MaskShelf, masksIn } from './fleet/mask-shelf.ts';
import { findFleet } from './fleet/open-fleet.ts';
import { type SiteDensity, siteDensities } from './fleet/site-densities.ts';
import * as options from './options.ts';
import { percent, shortHash } from './output/figures.ts';
import { table } from './output/table.ts';

/** A mask in a list. */
interface ListedMask extends KnownMask {
  readonly checkpoint: string;
  readonly sites: readonly SiteDensity[];
}

export function masksCommand(): Command {
  return new Command('masks')
    .addOption(coordinatorOption())
    .addOption(dataOption())
    .addOption(options.jsonOption())
    .addHelpText('after', '\nExample:\n  $ lethe masks')
    .action(async (given: FleetOptions & { readonly json?: boolean }) => {
      await withShelf(given, async (shelf) => {
        const masks: ListedMask[] = [];
        for (const known of await shelf.list()) {
          const mask = await shelf.read(known.hash);
          masks.push({ ...known, checkpoint: mask.checkpoint, sites: siteDensities(mask) });
        }
        process.stdout.write(given.json === true ? `${JSON.stringify({ masks })}\n` : `${masksText(masks)}\n`);
      });
    });
}

/** Gives `work` the masks of the fleet that is there, or of the data folder alone. */
export async function withShelf(given: FleetOptions, work: (shelf: MaskShelf) => Promise<void>): Promise<void> {
  const settings = await fleetSettings(given);
  const client = await findFleet(settings);
  try {
    await work(new MaskShelf(masksIn(settings.data), client));
  } finally {
    client?.close();
  }
}

function masksText(masks: readonly ListedMask[]): string {
  if (masks.length === 0) return 'no mask yet: `lethe sweep CAMPAIGN.yaml` makes them';
  const rows = masks.map(({ hash, concept, campaign = '', checkpoint, sites }) => [
    shortHash(hash),
    concept,
    sites.map(({ site, density }) => `${site} ${percent(density)}`).join(', '),
    campaign,
    checkpoint.slice(0, 19),
  ]);
  return table([['mask', 'concept', 'pruned', 'campaign', 'checkpoint'], ...rows]);
}
