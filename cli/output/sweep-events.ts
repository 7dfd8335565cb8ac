import type { CampaignEvent } from '../../gen/fleet/v1/campaign.ts';
import { printJsonTo, type TextStream } from './print.ts';
import type { SweepProgress } from './sweep-progress.ts';
import type { Notice } from './waiting-notice.ts';

/** How far a campaign is, for machines: a JSON object a line, each with its `event`; one for every change. */
export class SweepEvents implements SweepProgress {
  readonly #stream: TextStream;
  readonly #ended = new Set<string>();
  #printed = '';

  constructor(stream: TextStream) {
    this.#stream = stream;
  }

  update({ campaign, units, concepts, remainingSeconds }: CampaignEvent): void {
    const counts = JSON.stringify(units);
    if (counts !== this.#printed) this.#print({ event: 'progress', campaign, units, remainingSeconds });
    this.#printed = counts;
    for (const { concept, state } of concepts) {
      if (state === undefined || state.$case === 'remaining' || this.#ended.has(concept)) continue;
      this.#ended.add(concept);
      if (state.$case === 'mask') this.#print({ event: 'mask', campaign, concept, mask: state.value });
      else this.#print({ event: 'failed', campaign, concept, failure: state.value });
    }
  }

  notice(campaign: string, notice: Notice): void {
    if (notice.kind === 'goes-on') this.#print({ event: 'goes-on', campaign });
    else this.#print({ event: 'waits', campaign, waiting: notice.why, leftOut: notice.leftOut });
  }

  say(text: string): void {
    this.#print({ event: 'note', text });
  }

  stop(): void {
    // Every line that was written stands.
  }

  #print(event: Readonly<Record<string, unknown>>): void {
    printJsonTo(this.#stream, event);
  }
}
