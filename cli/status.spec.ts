import { expect, it } from 'vitest';
import type { CampaignEvent } from '../gen/fleet/v1/campaign.ts';
import { shownCampaigns } from './status.ts';
import { campaignNamed } from './wait.ts';

const campaign = (id: string, submittedAt: number, change: Partial<CampaignEvent> = {}): CampaignEvent => ({
  campaign: id,
  units: { waiting: 0, leased: 0, done: 1, failed: 0 },
  workers: [],
  concepts: [],
  remainingSeconds: undefined,
  ended: true,
  failure: undefined,
  waiting: undefined,
  leftOut: [],
  trial: false,
  images: false,
  submittedAt,
  changedAt: submittedAt,
  ...change,
});
const all = [
  campaign('styles-000000000001', 1),
  campaign('styles-000000000002', 3),
  campaign('trial-000000000003', 4, { trial: true }),
  campaign('images-000000000004', 5, { images: true }),
  campaign('objects-000000000005', 2),
];

it('shows campaigns, the newest first; what tune and verify run only where all is asked for', () => {
  const ids = (shown: readonly CampaignEvent[]) => shown.map(({ campaign: id }) => id.slice(-1)).join('');
  expect(ids(shownCampaigns(all, false))).toBe('251');
  expect(ids(shownCampaigns(all, true))).toBe('43251');
});

it.each([
  ['styles-000000000001', 'styles-000000000001'],
  ['styles', 'styles-000000000002'],
  ['Objects', 'objects-000000000005'],
])('waits for %s', (name, id) => {
  expect(campaignNamed(name, all)).toBe(id);
});

it('says which campaign was probably meant', () => {
  expect(() => campaignNamed('stiles', all)).toThrow(
    expect.objectContaining({ code: 'campaign-missing', next: 'did you mean styles?' }),
  );
});
