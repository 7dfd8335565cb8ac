import { setTimeout as after } from 'node:timers/promises';
import type { CampaignEvent } from '../../gen/fleet/v1/campaign.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { backoff } from '../../worker/run/backoff.ts';
import type { SweepProgress } from '../output/sweep-progress.ts';
import type { FleetClient } from './fleet-client.ts';

/**
 * Shows a campaign until it is over, through restarts of its coordinator.
 *
 * @returns its last state; undefined if `signal` aborted before.
 */
export async function followCampaign(
  client: FleetClient,
  campaign: string,
  progress: SweepProgress,
  signal: AbortSignal,
): Promise<CampaignEvent | undefined> {
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      for await (const state of client.watch(campaign, signal)) {
        attempt = 0;
        progress.update(state);
        if (state.ended) return state;
      }
    } catch (error) {
      const isGone = error instanceof LetheError && ['fleet-unreachable', 'fleet-lost'].includes(error.code);
      if (!isGone) throw error;
      if (attempt === 0) progress.say(`the coordinator at ${client.address} does not answer; waiting for it`);
    }
    await after(backoff(attempt, Math.random), undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}
