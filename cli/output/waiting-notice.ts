import type { CampaignEvent } from '../../gen/fleet/v1/campaign.ts';
import type { Failure } from '../../gen/fleet/v1/unit.ts';

/** Milliseconds a campaign has to wait before it is told: between two units nothing runs either. */
const quietMs = 3_000;

/** What is told of a campaign that waits. */
export type Notice =
  | { readonly kind: 'waits'; readonly why: Failure; readonly leftOut: CampaignEvent['leftOut'] }
  | { readonly kind: 'goes-on' };

/** Tells why a campaign waits, once it has for a while, and when it goes on: each once. */
export class WaitingNotice {
  #since: number | undefined;
  #told: string | undefined;

  /** @param now milliseconds from some fixed moment. @returns what is to be told now, if anything is. */
  take({ waiting, leftOut, ended }: CampaignEvent, now: number): Notice | undefined {
    if (waiting === undefined || ended) {
      const wasTold = this.#told !== undefined;
      this.#since = undefined;
      this.#told = undefined;
      return wasTold && !ended ? { kind: 'goes-on' } : undefined;
    }
    this.#since ??= now;
    if (now - this.#since < quietMs || this.#told === waiting.why) return undefined;
    this.#told = waiting.why;
    return { kind: 'waits', why: waiting, leftOut };
  }
}
