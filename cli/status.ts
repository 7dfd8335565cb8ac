import { setTimeout as after } from 'node:timers/promises';
import { Command } from 'commander';
import type { CampaignEvent } from '../gen/fleet/v1/campaign.ts';
import { coordinatorOption, dataOption, type FleetOptions, fleetSettings } from './fleet/fleet-settings.ts';
import { requireFleet } from './fleet/open-fleet.ts';
import { stopSignals } from './launcher/stop-signals.ts';
import * as options from './options.ts';
import { statusText } from './output/status-text.ts';

interface StatusOptions extends FleetOptions {
  readonly all?: boolean;
  readonly watch?: boolean;
  readonly json?: boolean;
}

/** Milliseconds between two looks of --watch. */
const watchMs = 2000;

/** Moves a terminal's cursor to its corner, and clears what is below. */
const clear = '\u001b[H\u001b[J';

export function statusCommand(): Command {
  return new Command('status')
    .option('--all', 'also the jobs that make images, and the trials of `lethe tune`')
    .option('--watch', 'look again every two seconds, until Ctrl-C; with --json an object a line')
    .addOption(coordinatorOption())
    .addOption(dataOption())
    .addOption(options.jsonOption())
    .addHelpText('after', '\nExample:\n  $ lethe status --watch')
    .action(async (given: StatusOptions) => {
      const client = await requireFleet(await fleetSettings(given));
      const signal = given.watch === true ? stopSignals().signal : new AbortController().signal;
      try {
        do {
          const campaigns = shownCampaigns(await client.status(), given.all === true);
          const text =
            given.json === true
              ? JSON.stringify({ coordinator: client.address, campaigns })
              : statusText(campaigns, Date.now());
          const isScreen = given.watch === true && given.json !== true && process.stdout.isTTY;
          process.stdout.write(`${isScreen ? clear : ''}${text}\n`);
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
