import type { CampaignEvent } from '../../gen/fleet/v1/campaign.ts';
import { age } from './age.ts';
import { duration } from './figures.ts';
import { table } from './table.ts';

/** A row a campaign, in the order given, then why some of them wait or have failed. @param now milliseconds since 1970 */
export function statusText(campaigns: readonly CampaignEvent[], now: number): string {
  if (campaigns.length === 0) return 'no campaign yet: `lethe sweep CAMPAIGN.yaml` runs one';
  const rows = campaigns.map((state) => {
    const { campaign, units, concepts, workers, remainingSeconds, submittedAt } = state;
    const { waiting = 0, leased = 0, done = 0, failed = 0 } = units ?? {};
    const masks = concepts.filter((concept) => concept.state?.$case === 'mask').length;
    const rate = workers.reduce((sum, { unetCallsPerSecond }) => sum + unetCallsPerSecond, 0);
    return [
      `${campaign}${state.trial ? ' (trial)' : ''}${state.images ? ' (images)' : ''}`,
      stateOf(state),
      age(submittedAt, now),
      done,
      leased,
      waiting,
      failed,
      state.images ? '' : `${masks}/${concepts.length}`,
      rate === 0 ? '' : rate.toFixed(1),
      remainingSeconds === undefined ? '' : duration(remainingSeconds),
    ];
  });
  const heading = ['campaign', 'state', 'age', 'done', 'leased', 'waiting', 'failed', 'masks', 'UNet calls/s', 'left'];
  return [table([heading, ...rows]), ...campaigns.flatMap(reasonsOf)].join('\n');
}

/** Why a campaign waits, or has failed. */
function reasonsOf({ campaign, waiting, failure }: CampaignEvent): readonly string[] {
  const told = waiting ?? failure;
  return told === undefined ? [] : [`${campaign}: ${told.what}: ${told.why}; ${told.next}`];
}

/** The state of a campaign in one word. */
function stateOf({ ended, failure, waiting }: CampaignEvent): string {
  if (!ended) return waiting === undefined ? 'active' : 'waits';
  if (failure === undefined) return 'done';
  return failure.code === 'campaign-cancelled' ? 'cancelled' : 'failed';
}
