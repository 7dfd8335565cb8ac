import type { CampaignEvent } from '../../gen/fleet/v1/campaign.ts';
import { age } from './age.ts';
import { duration } from './figures.ts';
import { escaped } from './escape.ts';
import { type ListColumn, type ListOptions, printList } from './list.ts';

/**
 * Prints a row a campaign, in the order given, then why some of them wait or have failed.
 *
 * @param coordinator its address
 * @param now milliseconds since 1970
 */
export function printStatus(
  given: ListOptions,
  coordinator: string,
  campaigns: readonly CampaignEvent[],
  now: number,
): void {
  printList(given, {
    rows: campaigns,
    columns: columnsAt(now),
    name: ({ campaign }) => campaign,
    json: { coordinator, campaigns },
    none: 'no campaign yet: `lethe sweep CAMPAIGN.yaml` runs one',
    below: campaigns.flatMap(reasonsOf),
  });
}

function columnsAt(now: number): readonly ListColumn<CampaignEvent>[] {
  return [
    {
      heading: 'campaign',
      cell: ({ campaign, trial, images }) => `${campaign}${trial ? ' (trial)' : ''}${images ? ' (images)' : ''}`,
    },
    { heading: 'state', cell: stateOf, when: 'kept' },
    { heading: 'age', cell: ({ submittedAt }) => age(submittedAt, now) },
    { heading: 'done', cell: ({ units }) => units?.done ?? 0, when: 'kept' },
    { heading: 'leased', cell: ({ units }) => units?.leased ?? 0 },
    { heading: 'waiting', cell: ({ units }) => units?.waiting ?? 0 },
    { heading: 'failed', cell: ({ units }) => units?.failed ?? 0, when: 'kept' },
    { heading: 'masks', cell: masksOf },
    { heading: 'UNet calls/s', cell: rateOf },
    {
      heading: 'left',
      cell: ({ remainingSeconds }) => (remainingSeconds === undefined ? '' : duration(remainingSeconds)),
      when: 'kept',
    },
  ];
}

function masksOf({ images, concepts }: CampaignEvent): string {
  return images ? '' : `${concepts.filter(({ state }) => state?.$case === 'mask').length}/${concepts.length}`;
}

function rateOf({ workers }: CampaignEvent): string {
  const rate = workers.reduce((sum, { unetCallsPerSecond }) => sum + unetCallsPerSecond, 0);
  return rate === 0 ? '' : rate.toFixed(1);
}

/** Why a campaign waits, or has failed. */
function reasonsOf({ campaign, waiting, failure }: CampaignEvent): readonly string[] {
  const told = waiting ?? failure;
  return told === undefined ? [] : [escaped(`${campaign}: ${told.what}: ${told.why}; ${told.next}`)];
}

/** The state of a campaign in one word. */
function stateOf({ ended, failure, waiting }: CampaignEvent): string {
  if (!ended) return waiting === undefined ? 'active' : 'waits';
  if (failure === undefined) return 'done';
  return failure.code === 'campaign-cancelled' ? 'cancelled' : 'failed';
}
