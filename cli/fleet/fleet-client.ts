import {
  type CallOptions,
  type ClientUnaryCall,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import {
  type CampaignEvent,
  CampaignServiceClient,
  FleetServiceClient,
  type PlanResponse,
  type SubmitRequest,
  type SubmitResponse,
  type WorkerStatus,
} from '../../gen/fleet/v1/campaign.ts';
import { MaskServiceClient } from '../../gen/fleet/v1/mask.ts';
import { Failure } from '../../gen/fleet/v1/unit.ts';
import { failureTrailer } from '../../coordinator/api/grpc-status.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { channelOptions } from '../../shared/fleet/protocol.ts';
import { requireAllowed } from '../../shared/fleet/security.ts';
import { errorOfFailure } from './remote-error.ts';

/** Milliseconds that a question which needs no model may take: a plan opens and hashes the checkpoint. */
const answerMs = 120_000;

/**
 * What commands ask of a coordinator, in the messages of proto/fleet/v1. Every method throws the coordinator's own error
 * as a LetheError, or `fleet-unreachable`.
 */
export class FleetClient {
  readonly address: string;
  readonly #campaigns: CampaignServiceClient;
  readonly #fleet: FleetServiceClient;
  readonly #masks: MaskServiceClient;

  /** @throws LetheError `usage` for an address beyond this machine, as long as there are no certificates. */
  constructor(address: string) {
    requireAllowed({ kind: 'plain-text-loopback' }, address);
    this.address = address;
    const plain = credentials.createInsecure();
    this.#campaigns = new CampaignServiceClient(address, plain, channelOptions);
    this.#fleet = new FleetServiceClient(address, plain, channelOptions);
    this.#masks = new MaskServiceClient(address, plain, channelOptions);
  }

  async submit(request: SubmitRequest): Promise<SubmitResponse> {
    return this.#ask(this.#campaigns.submit.bind(this.#campaigns), request);
  }

  async plan(request: SubmitRequest): Promise<PlanResponse> {
    return this.#ask(this.#campaigns.plan.bind(this.#campaigns), request);
  }

  async cancel(campaign: string, reason: string): Promise<void> {
    await this.#ask(this.#campaigns.cancel.bind(this.#campaigns), { campaign, reason });
  }

  async status(): Promise<readonly CampaignEvent[]> {
    return (await this.#ask(this.#fleet.status.bind(this.#fleet), {})).campaigns;
  }

  /** @param ms until a coordinator that does not answer counts as gone */
  async workers(ms?: number): Promise<readonly WorkerStatus[]> {
    return (await this.#ask(this.#fleet.workers.bind(this.#fleet), {}, ms)).workers;
  }

  /** The campaign's states, until it is over or `signal` aborts. */
  async *watch(campaign: string, signal: AbortSignal): AsyncGenerator<CampaignEvent, void, undefined> {
    const call = this.#campaigns.watch({ campaign });
    const stop = (): void => {
      call.cancel();
    };
    signal.addEventListener('abort', stop, { once: true });
    try {
      if (signal.aborted) return;
      for await (const event of call) yield event as CampaignEvent;
    } catch (error) {
      if (!signal.aborted) throw this.#explain(error);
    } finally {
      signal.removeEventListener('abort', stop);
      call.cancel();
    }
  }

  /** The bytes of a mask as they are stored: to be checked against `hash`. */
  async mask(hash: string): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    try {
      for await (const { data } of this.#masks.fetch({ hash }) as AsyncIterable<{ readonly data: Uint8Array }>)
        pieces.push(data);
    } catch (error) {
      throw this.#explain(error);
    }
    return new Uint8Array(Buffer.concat(pieces));
  }

  close(): void {
    for (const client of [this.#campaigns, this.#fleet, this.#masks]) client.close();
  }

  #ask<Request, Response>(method: UnaryMethod<Request, Response>, request: Request, ms = answerMs): Promise<Response> {
    return new Promise((resolve, reject) => {
      method(request, new Metadata(), { deadline: Date.now() + ms }, (error, response) => {
        if (error === null) resolve(response);
        else reject(this.#explain(error));
      });
    });
  }

  #explain(error: unknown): LetheError {
    const { metadata, code, details } = error as Partial<ServiceError>;
    const [trailer] = metadata?.get(failureTrailer) ?? [];
    if (trailer instanceof Uint8Array) return errorOfFailure(Failure.decode(trailer));
    const isGone = code === status.UNAVAILABLE || code === status.DEADLINE_EXCEEDED;
    return new LetheError(isGone ? 'fleet-unreachable' : 'fleet-lost', {
      what: 'cannot ask the coordinator',
      where: this.address,
      why: details ?? String(error),
      next: 'start a fleet with `lethe up`, or name its coordinator with --coordinator or LETHE_COORDINATOR',
      cause: error,
    });
  }
}

type UnaryMethod<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;
