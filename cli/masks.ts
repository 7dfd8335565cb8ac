import { Command } from 'commander';
import type { VerificationEntry } from '../gen/fleet/v1/mask.ts';
import type { KnownMask } from './fleet/choose-mask.ts';
import type { FleetClient } from './fleet/fleet-client.ts';
import { coordinatorOption, dataOption, type FleetOptions, fleetSettings } from './fleet/fleet-settings.ts';
import { MaskShelf, masksIn } from './fleet/mask-shelf.ts';
import { findFleet } from './fleet/open-fleet.ts';
import { type SiteDensity, siteDensities } from './fleet/site-densities.ts';
import * as options from './options.ts';
import { verifiedCell } from './output/active-text.ts';
import { age } from './output/age.ts';
import { percent, shortHash } from './output/figures.ts';
import { type ListColumn, type ListOptions, outputOption, printList } from './output/list.ts';

/** A mask in a list. */
interface ListedMask extends KnownMask {
  readonly checkpoint: string;
  readonly sites: readonly SiteDensity[];
  /** Version of the manifest that it is active in; undefined if in none. */
  readonly active: number | undefined;
  readonly verification: VerificationEntry | undefined;
}

export function masksCommand(): Command {
  return new Command('masks')
    .addOption(coordinatorOption())
    .addOption(dataOption())
    .addOption(outputOption())
    .addOption(options.jsonOption())
    .addHelpText('after', '\nExample:\n  $ lethe masks')
    .action(async (given: FleetOptions & ListOptions) => {
      await withShelf(given, async (shelf, client) => {
        const masks = await listed(shelf, client);
        const none = 'no mask yet: `lethe sweep CAMPAIGN.yaml` makes them';
        const columns = columnsAt(Date.now());
        printList(given, { rows: masks, columns, name: ({ hash }) => hash, json: { masks }, none });
      });
    });
}

/** Gives `work` the masks of the fleet that is there, or of the data folder alone. */
export async function withShelf(
  given: FleetOptions,
  work: (shelf: MaskShelf, client: FleetClient | undefined) => Promise<void>,
): Promise<void> {
  const settings = await fleetSettings(given);
  const client = await findFleet(settings);
  try {
    await work(new MaskShelf(masksIn(settings.data), client), client);
  } finally {
    client?.close();
  }
}

async function listed(shelf: MaskShelf, client: FleetClient | undefined): Promise<readonly ListedMask[]> {
  const known = await shelf.list();
  const verifications = new Map<string, VerificationEntry>();
  const active = new Map<string, number>();
  if (client !== undefined) {
    const hashes = [...new Set(known.map(({ hash }) => hash))];
    for await (const each of client.verifications(hashes)) verifications.set(each.mask, each);
    for await (const { version, masks } of client.active()) for (const { mask } of masks) active.set(mask, version);
  }
  const masks: ListedMask[] = [];
  for (const each of known) {
    const { hash } = each;
    const mask = await shelf.read(hash);
    const verification = verifications.get(hash);
    masks.push({
      ...each,
      checkpoint: mask.checkpoint,
      sites: siteDensities(mask),
      active: active.get(hash),
      verification,
    });
  }
  return masks;
}

/** @param now milliseconds since 1970 */
function columnsAt(now: number): readonly ListColumn<ListedMask>[] {
  return [
    { heading: 'mask', cell: ({ hash }) => shortHash(hash), when: 'kept' },
    { heading: 'concept', cell: ({ concept }) => concept, when: 'kept' },
    { heading: 'active', cell: ({ active }) => (active === undefined ? '' : `version ${active}`), when: 'kept' },
    { heading: 'verified', cell: ({ verification, checkpoint }) => verifiedCell(verification, checkpoint) },
    { heading: 'age', cell: ({ madeAt }) => age(madeAt, now) },
    { heading: 'campaign', cell: ({ campaign = '' }) => campaign },
    {
      heading: 'pruned',
      cell: ({ sites }) => sites.map(({ site, density }) => `${site} ${percent(density)}`).join(', '),
    },
    { heading: 'checkpoint', cell: ({ checkpoint }) => checkpoint.slice(0, 19) },
  ];
}
