import { Command, Option } from 'commander';
import type { CampaignEvent } from '../gen/fleet/v1/campaign.ts';
import { closest } from '../shared/config/closest.ts';
import { LetheError } from '../shared/error/lethe-error.ts';
import { followCampaign } from './fleet/follow-campaign.ts';
import { coordinatorOption, dataOption, type FleetOptions, fleetSettings } from './fleet/fleet-settings.ts';
import { requireFleet } from './fleet/open-fleet.ts';
import { errorOfFailure } from './fleet/remote-error.ts';
import { stopSignals } from './launcher/stop-signals.ts';
import * as options from './options.ts';
import { exitCodes } from './output/failure.ts';
import { SweepEvents } from './output/sweep-events.ts';
import { sweepProgress } from './output/sweep-progress.ts';
import { printResult } from './output/print.ts';

interface WaitOptions extends FleetOptions {
  /** Seconds; 0 for ever. */
  readonly timeout: number;
  readonly json?: boolean;
}

export function waitCommand(): Command {
  return new Command('wait')
    .argument('<campaign>', 'its id as `lethe status` lists it, or its name: then the newest of that name')
    .addOption(
      new Option('--timeout <s>', 'seconds to wait; 0 for ever').argParser(options.integer(0, 31_536_000)).default(0),
    )
    .addOption(coordinatorOption())
    .addOption(dataOption())
    .addOption(options.jsonOption())
    .addHelpText(
      'after',
      `
Exit code 0 if every concept has its mask, 1 if some have none, if it was cancelled, or if --timeout is over before.

Example:
  $ lethe wait emoji-demo --timeout 600`,
    )
    .action(async (name: string, given: WaitOptions) => {
      const client = await requireFleet(await fleetSettings(given));
      const signals = stopSignals();
      const progress = given.json === true ? new SweepEvents(process.stderr) : sweepProgress(process.stderr);
      const limit = given.timeout === 0 ? undefined : AbortSignal.timeout(given.timeout * 1000);
      const signal = limit === undefined ? signals.signal : AbortSignal.any([signals.signal, limit]);
      try {
        const campaign = campaignNamed(name, await client.status());
        const state = await followCampaign(client, campaign, progress, signal, () => Promise.resolve(true));
        progress.stop();
        if (state?.failure !== undefined) throw errorOfFailure(state.failure);
        if (state !== undefined) {
          printResult(given, { campaign, state }, `${campaign} is done`);
          return;
        }
        if (limit?.aborted === true) throw tooLong(campaign, given.timeout);
        process.exitCode = exitCodes.interrupted;
      } finally {
        progress.stop();
        client.close();
      }
    });
}

/**
 * The campaign of an id or a name.
 *
 * @throws LetheError `campaign-missing`
 */
export function campaignNamed(name: string, campaigns: readonly CampaignEvent[]): string {
  const given = name.toLowerCase();
  const exact = campaigns.find(({ campaign }) => campaign === given);
  const [newest] = campaigns
    .filter(({ campaign }) => campaign.replace(/-[0-9a-f]{12}$/, '') === given)
    .toSorted((a, b) => b.submittedAt - a.submittedAt);
  const found = exact ?? newest;
  if (found !== undefined) return found.campaign;
  const names = campaigns.flatMap(({ campaign }) => [campaign, campaign.replace(/-[0-9a-f]{12}$/, '')]);
  const meant = closest(name, [...new Set(names)]);
  throw new LetheError('campaign-missing', {
    what: 'cannot wait for the campaign',
    where: name,
    why: `no campaign has this id or name; there are ${campaigns.length}`,
    next: meant === undefined ? '`lethe status --all` lists them' : `did you mean ${meant}?`,
  });
}

function tooLong(where: string, seconds: number): LetheError {
  return new LetheError('campaign-unfinished', {
    what: 'the campaign is not over yet',
    where,
    why: `${seconds} s have passed`,
    next: 'it goes on: wait again, or look with `lethe status`',
  });
}
