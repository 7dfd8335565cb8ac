import { setTimeout as after } from 'node:timers/promises';
import { Command } from 'commander';
import type { CampaignEvent } from '../gen/fleet/v1/campaign.ts';
import { coordinatorOption, dataOption, type FleetOptions, fleetSettings } from './fleet/fleet-settings.ts';
import { requireFleet } from './fleet/open-fleet.ts';
import { stopSignals } from './launcher/stop-signals.ts';
import * as options from './options.ts';
import { type ListOptions, outputOption } from './output/list.ts';
import { clearScreen } from './output/print.ts';
import { printStatus } from './output/status-text.ts';

interface StatusOptions extends FleetOptions, ListOptions {
  readonly all?: boolean;
  readonly watch?: boolean;
}

/** Milliseconds between two looks of --watch. */
const watchMs = 2000;

export function statusCommand(): Command {
  return new Command('status')
    .option('--all', 'also the jobs that make images, and the trials of `lethe tune`')
    .option('--watch', 'look again every two seconds, until Ctrl-C; with --json an object a line')
    .addOption(coordinatorOption())
    .addOption(dataOption())
    .addOption(outputOption())
    .addOption(options.jsonOption())
    .addHelpText('after', '\nExample:\n  $ lethe status --watch')
    .action(async (given: StatusOptions) => {
      const client = await requireFleet(await fleetSettings(given));
      const signal = given.watch === true ? stopSignals().signal : new AbortController().signal;
      try {
        do {
          const campaigns = shownCampaigns(await client.status(), given.all === true);
          if (given.watch === true && given.json !== true) clearScreen(process.stdout);
          printStatus(given, client.address, campaigns, Date.now());
          if (given.watch === true) await after(watchMs, undefined, { signal }).catch(() => undefined);
        } while (given.watch === true && !signal.aborted);
      } finally {
        client.close();
      }
    });
}

/** Campaigns, the newest first; jobs of images and trials among them where all are asked for. */
export function shownCampaigns(campaigns: readonly CampaignEvent[], all: boolean): readonly CampaignEvent[] {
  return campaigns
    .filter(({ trial, images }) => all || !(trial || images))
    .toSorted((a, b) => b.submittedAt - a.submittedAt || (a.campaign < b.campaign ? -1 : 1));
}
