import { setTimeout as after } from 'node:timers/promises';
import type { CampaignEvent } from '../../gen/fleet/v1/campaign.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { backoff } from '../../worker/run/backoff.ts';
import type { SweepProgress } from '../output/sweep-progress.ts';
import { WaitingNotice } from '../output/waiting-notice.ts';
import type { FleetClient } from './fleet-client.ts';

/**
 * Shows a campaign until it is over, through restarts of its coordinator.
 *
 * @param comesBack whether a coordinator that does not answer can be expected again
 * @returns its last state; undefined if `signal` aborted before.
 */
export async function followCampaign(
  client: FleetClient,
  campaign: string,
  progress: SweepProgress,
  signal: AbortSignal,
  comesBack: () => Promise<boolean>,
): Promise<CampaignEvent | undefined> {
  const waiting = new WaitingNotice();
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      for await (const state of client.watch(campaign, signal)) {
        attempt = 0;
        progress.update(state);
        const notice = waiting.take(state, performance.now());
        if (notice !== undefined) progress.notice(campaign, notice);
        if (state.ended) return state;
      }
    } catch (error) {
      const isGone = error instanceof LetheError && ['fleet-unreachable', 'fleet-lost'].includes(error.code);
      if (!isGone || !(await comesBack())) throw error;
      if (attempt === 0) progress.say(`the coordinator at ${client.address} does not answer; waiting for it`);
    }
    await after(backoff(attempt, Math.random), undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}
