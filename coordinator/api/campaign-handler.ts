import type { handleUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import type {
  CampaignEvent,
  CampaignServiceServer,
  FleetServiceServer,
  WatchRequest,
} from '../../gen/fleet/v1/campaign.ts';
import { writeDrained } from '../../shared/fleet/write-drained.ts';
import { planToMessage, stateToMessage, workerToMessage } from './campaign-message.ts';
import type { CampaignService } from './campaign-service.ts';
import { grpcStatusOf } from './grpc-status.ts';

/** CampaignService and FleetService: translation alone. */
export function campaignHandlers(campaigns: CampaignService): CampaignServiceServer {
  return {
    submit: unary(async ({ yaml, source, trial }) => {
      const { campaign, plan } = await campaigns.submit(yaml, source, trial);
      return { campaign, plan: planToMessage(plan) };
    }),
    plan: unary(async ({ yaml, source }) => planToMessage(await campaigns.plan(yaml, source))),
    cancel: unary(async ({ campaign, reason }) => {
      await campaigns.cancel(campaign, reason);
      return {};
    }),
    watch: (call) => {
      void watch(campaigns, call);
    },
  };
}

export function fleetHandlers(campaigns: CampaignService): FleetServiceServer {
  return {
    status: unary(async () => ({ campaigns: (await campaigns.status()).map(stateToMessage) })),
    workers: unary(async () => ({ workers: (await campaigns.workers()).map(workerToMessage) })),
  };
}

/** A method with one answer. */
export function unary<Request, Response>(
  work: (request: Request) => Promise<Response>,
): handleUnaryCall<Request, Response> {
  return (call, answer) => {
    work(call.request).then(
      (response) => {
        answer(null, response);
      },
      (error: unknown) => {
        answer(grpcStatusOf(error));
      },
    );
  };
}

async function watch(
  campaigns: CampaignService,
  call: ServerWritableStream<WatchRequest, CampaignEvent>,
): Promise<void> {
  const stop = new AbortController();
  call.on('cancelled', () => {
    stop.abort();
  });
  try {
    for await (const state of campaigns.watch(call.request.campaign, stop.signal)) {
      if (stop.signal.aborted) return;
      await writeDrained(call, stateToMessage(state));
    }
    call.end();
  } catch (error) {
    if (!stop.signal.aborted) call.emit('error', grpcStatusOf(error));
  }
}
