import { Command } from 'commander';
import type { CampaignEvent } from '../gen/fleet/v1/campaign.ts';
import { coordinatorOption, dataOption, type FleetOptions, fleetSettings } from './fleet/fleet-settings.ts';
import { requireFleet } from './fleet/open-fleet.ts';
import * as options from './options.ts';
import { duration } from './output/figures.ts';
import { table } from './output/table.ts';

export function statusCommand(): Command {
  return new Command('status')
    .addOption(coordinatorOption())
    .addOption(dataOption())
    .addOption(options.jsonOption())
    .addHelpText('after', '\nExample:\n  $ lethe status')
    .action(async (given: FleetOptions & { readonly json?: boolean }) => {
      const client = await requireFleet(await fleetSettings(given));
      try {
        const campaigns = await client.status();
        const coordinator = client.address;
        process.stdout.write(
          given.json === true ? `${JSON.stringify({ coordinator, campaigns })}\n` : `${statusText(campaigns)}\n`,
        );
      } finally {
        client.close();
      }
    });
}

function statusText(campaigns: readonly CampaignEvent[]): string {
  if (campaigns.length === 0) return 'no campaign yet: `lethe sweep CAMPAIGN.yaml` runs one';
  const rows = campaigns.map((state) => {
    const { campaign, trial, units, concepts, workers, remainingSeconds } = state;
    const { waiting = 0, leased = 0, done = 0, failed = 0 } = units ?? {};
    const masks = concepts.filter((concept) => concept.state?.$case === 'mask').length;
    const rate = workers.reduce((sum, { unetCallsPerSecond }) => sum + unetCallsPerSecond, 0);
    return [
      trial ? `${campaign} (trial)` : campaign,
      stateOf(state),
      done,
      leased,
      waiting,
      failed,
      `${masks}/${concepts.length}`,
      rate === 0 ? '' : rate.toFixed(1),
      remainingSeconds === undefined ? '' : duration(remainingSeconds),
    ];
  });
  const heading = ['campaign', 'state', 'done', 'leased', 'waiting', 'failed', 'masks', 'UNet calls/s', 'left'];
  return [table([heading, ...rows]), ...campaigns.flatMap(reasonsOf)].join('\n');
}

/** Why a campaign waits, or has failed. */
function reasonsOf({ campaign, waiting, failure }: CampaignEvent): readonly string[] {
  const told = waiting ?? failure;
  return told === undefined ? [] : [`${campaign}: ${told.what}: ${told.why}; ${told.next}`];
}

function stateOf({ ended, failure, waiting }: CampaignEvent): string {
  if (!ended) return waiting === undefined ? 'active' : 'waits';
  if (failure === undefined) return 'done';
  return failure.code === 'campaign-cancelled' ? 'cancelled' : 'failed';
}
