import { Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { CampaignEvent, CampaignServiceService, type WatchRequest } from '../../gen/fleet/v1/campaign.ts';
import {
  type FetchImagesRequest,
  type FetchImagesResponse,
  type ImageServiceServer,
  ImageServiceService,
  type RequestImagesRequest,
} from '../../gen/fleet/v1/image.ts';
import { Failure } from '../../gen/fleet/v1/unit.ts';
import { grpcStatusOf } from '../../coordinator/api/grpc-status.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { channelOptions } from '../../shared/fleet/protocol.ts';
import type { Notice } from '../output/waiting-notice.ts';
import { FleetClient } from './fleet-client.ts';
import { type ImageAsk, type ImageWatcher, requestImages } from './request-images.ts';

/** How a coordinator goes on with an image that it is asked to hand out. */
type Answer = 'given' | 'missing';

const sampling = { scheduler: 'pndm', steps: 4, guidance: 2.5, height: undefined, width: undefined };
const source = { checkpoint: 'sha256:1', directory: undefined, variant: undefined, numerics: undefined };
const asksOf = (count: number, masks: readonly string[] = []): readonly ImageAsk[] =>
  Array.from({ length: count }, (_, i) => ({ prompt: `prompt ${i}`, seed: '0', masks, sampling }));

const ends: (() => void)[] = [];
afterEach(() => {
  vi.useRealTimers();
  for (const end of ends.splice(0)) end();
});

/**
 * A coordinator over real gRPC that hands out images with the prompt for its bytes, as faults have it: what the real one
 * does is in integration/images.
 */
async function coordinator(
  answerOf: (prompt: string) => Answer,
  watch: (call: ServerWritableStream<WatchRequest, CampaignEvent>) => void = (call) => {
    call.write(CampaignEvent.fromPartial({ ended: true }));
    call.end();
  },
): Promise<{ readonly client: FleetClient; readonly fetched: number[] }> {
  const fetched: number[] = [];
  const fetch = (call: ServerWritableStream<FetchImagesRequest, FetchImagesResponse>): void => {
    const prompts = call.request.groups.flatMap(({ trajectories }) => trajectories.map(({ prompt }) => prompt));
    fetched.push(prompts.length);
    for (const [image, prompt] of prompts.entries()) {
      const answer = answerOf(prompt);
      if (answer === 'missing') {
        const error = new LetheError('image-missing', { what: 'cannot read an image', why: 'it is gone', next: 'ask' });
        call.emit('error', grpcStatusOf(error));
        return;
      }
      call.write({ image, data: Buffer.from(prompt), last: true });
    }
    call.end();
  };
  const images: ImageServiceServer = {
    request: (call, answer) => {
      let count = 0;
      call.on('data', ({ piece }: RequestImagesRequest) => {
        if (piece?.$case === 'group') count += piece.value.trajectories.length;
      });
      call.on('end', () => {
        answer(null, { jobs: ['job'], numerics: 'cpu', images: count, stored: 0, unetCalls: count });
      });
    },
    fetch,
  };
  const server = new Server(channelOptions);
  server.addService(ImageServiceService, { ...images });
  const { watch: definition } = CampaignServiceService;
  server.addService({ watch: definition }, { watch });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  const client = new FleetClient(`127.0.0.1:${port}`);
  ends.push(() => {
    client.close();
    server.forceShutdown();
  });
  return { client, fetched };
}

const silent: ImageWatcher = {
  onProgress: () => undefined,
  onNotice: () => undefined,
  signal: new AbortController().signal,
};

async function read(client: FleetClient, asks: readonly ImageAsk[], watcher = silent): Promise<readonly string[]> {
  const prompts: string[] = [];
  for await (const image of requestImages(client, source, 'spec', 8, asks, watcher))
    prompts.push(Buffer.from(image).toString());
  return prompts;
}

const promptsOf = (asks: readonly ImageAsk[]): readonly string[] => asks.map(({ prompt }) => prompt);

/** Each image has a fault the first time it comes to it. */
function onceEach(fault: Answer): (prompt: string) => Answer {
  const told = new Set<string>();
  return (prompt) => {
    if (told.has(prompt)) return 'given';
    told.add(prompt);
    return fault;
  };
}

describe('requestImages', () => {
  it('has as many lost blobs made again as there are, each in its turn', async () => {
    const asks = asksOf(12);
    const { client } = await coordinator(onceEach('missing'));
    expect(await read(client, asks)).toEqual(promptsOf(asks));
  });

  it('gives up on an image that stays lost, with its reason', async () => {
    const { client, fetched } = await coordinator((prompt) => (prompt === 'prompt 2' ? 'missing' : 'given'));
    await expect(read(client, asksOf(4))).rejects.toMatchObject({ code: 'image-missing', why: 'it is gone' });
    expect(fetched).toEqual([4, 2, 2, 2, 2]);
  });

  it('fits into messages however many masks prune together, and where prompts are not ASCII', async () => {
    const hashes = Array.from({ length: 120 }, (_, i) => i.toString(16).padStart(64, '0'));
    const masked = asksOf(500).map((ask, i) => ({ ...ask, masks: i % 2 === 0 ? [] : hashes }));
    const long = asksOf(500).map((ask, i) => ({ ...ask, prompt: `${i} ${'猫'.repeat(1000)}` }));
    const { client } = await coordinator(() => 'given');
    expect(await read(client, masked)).toEqual(promptsOf(masked));
    expect(await read(client, long)).toEqual(promptsOf(long));
  });

  it('names masks and sampling of neighbours once, and so asks in few messages', async () => {
    const hashes = Array.from({ length: 100 }, (_, i) => i.toString(16).padStart(64, '0'));
    const { client, fetched } = await coordinator(() => 'given');
    await read(client, asksOf(500, hashes));
    expect(fetched).toEqual([500]);
  });

  it('tells why a job waits, and that it goes on', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const why = Failure.fromPartial({ code: 'worker-missing', what: 'it waits', why: 'no worker is connected' });
    let send: (event: Parameters<typeof CampaignEvent.fromPartial>[0]) => void = () => undefined;
    const { client } = await coordinator(
      () => 'given',
      (call) => {
        send = (event) => {
          call.write(CampaignEvent.fromPartial(event));
          if (event.ended === true) call.end();
        };
        send({ waiting: why });
      },
    );
    const notices: (readonly [string, Notice['kind']])[] = [];
    let told = 0;
    const watcher: ImageWatcher = {
      ...silent,
      // Once before anything is known, and then of every state.
      onProgress: () => {
        told += 1;
        if (told === 2) {
          vi.advanceTimersByTime(60_000);
          send({ waiting: why });
        }
        if (told === 3) send({});
        if (told === 4) send({ ended: true });
      },
      onNotice: (job, notice) => {
        notices.push([job, notice.kind]);
        if (notice.kind === 'waits') expect(notice.why).toMatchObject({ why: 'no worker is connected' });
      },
    };
    expect(await read(client, asksOf(1), watcher)).toEqual(['prompt 0']);
    expect(notices).toEqual([
      ['job', 'waits'],
      ['job', 'goes-on'],
    ]);
  });
});
