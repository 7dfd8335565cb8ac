import { credentials, type ServiceError } from '@grpc/grpc-js';
import { once } from 'node:events';
import { type CampaignEvent, CampaignServiceClient, type SubmitResponse } from '../../gen/fleet/v1/campaign.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';

/** What a sweep's caller has in hand: a connection to one coordinator. */
export class SweepClient {
  readonly #client: CampaignServiceClient;

  constructor(address: string) {
    this.#client = new CampaignServiceClient(address, credentials.createInsecure());
  }

  submit(yaml: string): Promise<SubmitResponse> {
    return answer((done) => this.#client.submit({ yaml, source: 'campaign.yaml', trial: false }, done));
  }

  async cancel(campaign: string): Promise<void> {
    await answer((done) => this.#client.cancel({ campaign, reason: 'somebody asked for it' }, done));
  }

  /** The first state that matches. */
  async until(campaign: string, matches: (event: CampaignEvent) => boolean): Promise<CampaignEvent> {
    const call = this.#client.watch({ campaign });
    try {
      for await (const event of call as AsyncIterable<CampaignEvent>) if (matches(event)) return event;
      throw new LetheError('fleet-lost', {
        what: 'cannot follow the campaign',
        where: campaign,
        why: 'the coordinator told its end before that',
        next: 'look at its log',
      });
    } finally {
      call.on('error', () => undefined);
      call.cancel();
      if (!call.closed) await once(call, 'close').catch(() => undefined);
    }
  }

  /** Hashes of its masks, by concept. @throws LetheError `campaign-failed` if there is a concept without. */
  async masks(campaign: string): Promise<Readonly<Record<string, string>>> {
    const { concepts, failure } = await this.until(campaign, ({ ended }) => ended);
    if (failure !== undefined)
      throw new LetheError('campaign-failed', {
        what: failure.what,
        where: failure.where,
        why: failure.why,
        next: "look at the coordinator's log",
      });
    return Object.fromEntries(
      concepts.flatMap(({ concept, state }) => (state?.$case === 'mask' ? [[concept, state.value]] : [])),
    );
  }

  close(): void {
    this.#client.close();
  }
}

function answer<T>(ask: (done: (error: ServiceError | null, response: T) => void) => unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    ask((error, response) => {
      if (error === null) resolve(response);
      else reject(error);
    });
  });
}
