import { describe, expect, it } from 'vitest';
import { CampaignEvent } from '../../gen/fleet/v1/campaign.ts';
import { Failure } from '../../gen/fleet/v1/unit.ts';
import { WaitingNotice } from './waiting-notice.ts';

const runs = CampaignEvent.fromPartial({});
const waits = (why: string): CampaignEvent =>
  CampaignEvent.fromPartial({
    waiting: Failure.fromPartial({ why }),
    leftOut: [{ worker: 'w1', reason: 'too small' }],
  });

describe('WaitingNotice', () => {
  it('tells a reason once, after a while, and that the campaign goes on', () => {
    const notice = new WaitingNotice();
    expect(notice.take(waits('no worker'), 0)).toBeUndefined();
    expect(notice.take(waits('no worker'), 2_999)).toBeUndefined();
    expect(notice.take(waits('no worker'), 3_000)).toMatchObject({
      kind: 'waits',
      why: { why: 'no worker' },
      leftOut: [{ worker: 'w1' }],
    });
    expect(notice.take(waits('no worker'), 9_000)).toBeUndefined();
    expect(notice.take(waits('NATS is away'), 10_000)).toMatchObject({ kind: 'waits', why: { why: 'NATS is away' } });
    expect(notice.take(runs, 11_000)).toEqual({ kind: 'goes-on' });
    expect(notice.take(runs, 12_000)).toBeUndefined();
  });

  it('says nothing of a moment between two units, or of a campaign that is over', () => {
    const notice = new WaitingNotice();
    for (const at of [0, 2_000, 4_000, 6_000]) {
      expect(notice.take(waits('no worker'), at)).toBeUndefined();
      expect(notice.take(runs, at + 1_000)).toBeUndefined();
    }
    notice.take(waits('no worker'), 10_000);
    expect(notice.take(waits('no worker'), 20_000)).toBeDefined();
    expect(notice.take({ ...runs, ended: true }, 21_000)).toBeUndefined();
  });
});
