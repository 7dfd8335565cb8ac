import { credentials } from '@grpc/grpc-js';
import { once } from 'node:events';
import { type CampaignEvent, CampaignServiceClient, type SubmitResponse } from '../../gen/fleet/v1/campaign.ts';
import { maskBlob } from '../../coordinator/publish/publish-mask.ts';
import { verdictSchema, type Verdict } from '../../coordinator/store/verdict.ts';
import { decodeStored } from '../../coordinator/store/stored-json.ts';
import { Blobs } from '../../shared/bus/blobs.ts';
import type { Bus } from '../../shared/bus/bus.ts';
import { recordFilters } from '../../shared/bus/names.ts';
import { Records } from '../../shared/bus/records.ts';
import { decompressMask } from '../../shared/mask/mask-storage.ts';

/** Two styles that share their base cohort, on emoji-sd, three prompts, three steps. */
export function campaignText(settings: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    name: 'tiny',
    sampling: { steps: 20, guidance: 2.5 },
    tau: 3,
    batch: 2,
    mask: { sites: { ffn2: { skill_ratio: 0.05 }, 'attn-value': { skill_ratio: 0.1, selection: 'contrast' } } },
    prompts: { things: ['a picture of a cat', 'a picture of a dog', 'a picture of an owl'] },
    concepts: [
      { name: 'Neon', kind: 'style', things: 'things', phrase: 'in the style of Neon' },
      { name: 'Poster', kind: 'style', things: 'things', phrase: 'in the style of Poster' },
    ],
    ...settings,
  });
}

/** What a sweep's caller has in hand: a connection to one coordinator. */
export class SweepClient {
  readonly #client: CampaignServiceClient;

  constructor(address: string) {
    this.#client = new CampaignServiceClient(address, credentials.createInsecure());
  }

  submit(yaml: string): Promise<SubmitResponse> {
    return new Promise((resolve, reject) => {
      this.#client.submit({ yaml, source: 'spec' }, (error, response) => {
        if (error === null) resolve(response);
        else reject(error);
      });
    });
  }

  cancel(campaign: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#client.cancel({ campaign, reason: 'the spec asks for it' }, (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
  }

  /** The first state that matches. */
  async until(campaign: string, matches: (event: CampaignEvent) => boolean): Promise<CampaignEvent> {
    const call = this.#client.watch({ campaign });
    try {
      for await (const event of call as AsyncIterable<CampaignEvent>) if (matches(event)) return event;
      throw new Error('the campaign ended before that');
    } finally {
      call.on('error', () => undefined);
      call.cancel();
      if (!call.closed) await once(call, 'close').catch(() => undefined);
    }
  }

  /** Hashes of its masks, by concept. */
  async masks(campaign: string): Promise<Readonly<Record<string, string>>> {
    const { concepts, failure } = await this.until(campaign, ({ ended }) => ended);
    if (failure !== undefined) throw new Error(`${failure.what}: ${failure.why}`);
    return Object.fromEntries(
      concepts.flatMap(({ concept, state }) => (state?.$case === 'mask' ? [[concept, state.value]] : [])),
    );
  }

  close(): void {
    this.#client.close();
  }
}

/** The canonical bytes of a mask, as they are stored. */
export async function maskBytes(bus: Bus, hash: string): Promise<Uint8Array> {
  return decompressMask(await new Blobs(bus).get(maskBlob(hash)), hash);
}

/** All verdicts of the store. */
export async function verdicts(bus: Bus): Promise<readonly Verdict[]> {
  const found: Verdict[] = [];
  for await (const { bytes, subject } of new Records(bus).list(recordFilters.verdicts))
    found.push(decodeStored(verdictSchema, bytes, subject));
  return found;
}

/** UNet calls that committed results were made with, counted by the workers. */
export async function unetCalls(bus: Bus): Promise<number> {
  const byBlob = new Map<string, number>();
  for (const verdict of await verdicts(bus))
    if (verdict.kind === 'result') byBlob.set(verdict.partial.name, verdict.calls.unetCalls);
  return [...byBlob.values()].reduce((sum, calls) => sum + calls, 0);
}
