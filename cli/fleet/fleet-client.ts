import {
  type CallOptions,
  type ClientReadableStream,
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
import {
  type FetchImagesRequest,
  ImageServiceClient,
  type ImagesHead,
  type ImageGroup,
  type RequestImagesRequest,
  type RequestImagesResponse,
} from '../../gen/fleet/v1/image.ts';
import {
  type ActiveMask,
  type AuditEntry,
  type Cause,
  type HistoryEntry,
  type ManifestResponse,
  MaskServiceClient,
  type ServingResponse,
  type TestImages,
} from '../../gen/fleet/v1/mask.ts';
import { Failure } from '../../gen/fleet/v1/unit.ts';
import { failureTrailer } from '../../coordinator/api/grpc-status.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { channelOptions } from '../../shared/fleet/protocol.ts';
import { requireAllowed } from '../../shared/fleet/security.ts';
import { violation } from '../../shared/fleet/violation.ts';
import { writeDrained } from '../../shared/fleet/write-drained.ts';
import { errorOfFailure } from './remote-error.ts';

/** Milliseconds that a question which needs no model may take: a plan opens and hashes the checkpoint. */
const answerMs = 120_000;
/** Commands have no certificates. */
const elsewhere =
  'run the command on the machine of a coordinator that listens on loopback (--listen 127.0.0.1:PORT --insecure true; any coordinator of the fleet will do), or through an SSH tunnel to its port';

/**
 * What commands ask of a coordinator, in the messages of proto/fleet/v1. Every method throws the coordinator's own error
 * as a LetheError, or `fleet-unreachable`.
 */
export class FleetClient {
  readonly address: string;
  readonly #campaigns: CampaignServiceClient;
  readonly #fleet: FleetServiceClient;
  readonly #masks: MaskServiceClient;
  readonly #images: ImageServiceClient;

  /** @throws LetheError `usage` for an address beyond this machine. */
  constructor(address: string) {
    requireAllowed({ kind: 'plain-text-loopback' }, address, elsewhere);
    this.address = address;
    const plain = credentials.createInsecure();
    this.#campaigns = new CampaignServiceClient(address, plain, channelOptions);
    this.#fleet = new FleetServiceClient(address, plain, channelOptions);
    this.#masks = new MaskServiceClient(address, plain, channelOptions);
    this.#images = new ImageServiceClient(address, plain, channelOptions);
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
    for await (const { data } of this.#stream(this.#masks.fetch({ hash }))) pieces.push(data);
    return new Uint8Array(Buffer.concat(pieces));
  }

  /** Makes masks of a checkpoint active, beside those that are, and restores concepts. */
  async apply(
    checkpoint: string,
    masks: readonly ActiveMask[],
    restore: readonly string[],
    cause: Cause,
  ): Promise<ManifestResponse> {
    const request = { checkpoint, masks: [...masks], restore: [...restore], cause };
    return this.#ask(this.#masks.apply.bind(this.#masks), request);
  }

  async rollback(checkpoint: string, version: number, cause: Cause): Promise<ManifestResponse> {
    return this.#ask(this.#masks.rollback.bind(this.#masks), { checkpoint, version, cause });
  }

  /** Signs every manifest with the key, those that it has signed already excepted. */
  sign(key: string, cause: Cause): AsyncGenerator<ManifestResponse, void> {
    return this.#stream(this.#masks.sign({ key, cause }));
  }

  /** What is active, of every checkpoint. */
  active(): AsyncGenerator<ManifestResponse, void> {
    return this.#stream(this.#masks.active({}));
  }

  /** @param limit the newest so many; 0 for all */
  history(checkpoint: string, limit: number): AsyncGenerator<HistoryEntry, void> {
    return this.#stream(this.#masks.history({ checkpoint, limit }));
  }

  audit(checkpoint: string): AsyncGenerator<AuditEntry, void> {
    return this.#stream(this.#masks.audit({ checkpoint }));
  }

  async serving(checkpoint: string): Promise<ServingResponse> {
    return this.#ask(this.#masks.serving.bind(this.#masks), { checkpoint });
  }

  /** @returns the hash of the report, by which audit records name the verification */
  async recordVerification(
    mask: string,
    checkpoint: string,
    passed: boolean,
    report: Uint8Array,
    images: TestImages,
  ): Promise<string> {
    const request = { mask, checkpoint, passed, report: Buffer.from(report), images };
    return (await this.#ask(this.#masks.recordVerification.bind(this.#masks), request)).report;
  }

  /** Has images made. Groups that are together too large for a message are sent in several. */
  async makeImages(head: ImagesHead, groups: Iterable<ImageGroup>): Promise<RequestImagesResponse> {
    const { promise, resolve, reject } = deferred<RequestImagesResponse>();
    const options = { deadline: Date.now() + answerMs };
    const call = this.#images.request(new Metadata(), options, (error, response) => {
      if (error === null) resolve(response);
      else reject(this.#explain(error));
    });
    // The answer says why; a write after it has come says nothing.
    call.on('error', () => undefined);
    const pieces = (function* (): Generator<RequestImagesRequest, void> {
      yield { piece: { $case: 'head', value: head } };
      for (const value of groups) yield { piece: { $case: 'group', value } };
    })();
    for (const piece of pieces) {
      if (call.destroyed) break;
      await writeDrained(call, piece).catch(() => undefined);
    }
    call.end();
    return promise;
  }

  /** The PNG files of stored images, in order and each whole: `protocol-violated` if they come otherwise. */
  async *images(request: FetchImagesRequest): AsyncGenerator<Uint8Array, void, undefined> {
    const asked = request.groups.reduce((sum, { trajectories }) => sum + trajectories.length, 0);
    const pieces: Uint8Array[] = [];
    let next = 0;
    for await (const { image, data, last } of this.#stream(this.#images.fetch(request))) {
      if (image !== next || image >= asked) throw violation('image', `image ${image} came in the place of ${next}`);
      pieces.push(data);
      if (!last) continue;
      next += 1;
      yield new Uint8Array(Buffer.concat(pieces.splice(0)));
    }
    if (next < asked) throw violation('image', `${next} of ${asked} images came`);
  }

  close(): void {
    for (const client of [this.#campaigns, this.#fleet, this.#masks, this.#images]) client.close();
  }

  async *#stream<Response>(call: ClientReadableStream<Response>): AsyncGenerator<Response, void> {
    try {
      for await (const response of call) yield response as Response;
    } catch (error) {
      throw this.#explain(error);
    } finally {
      call.cancel();
    }
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

interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: LetheError) => void;
}

function deferred<T>(): Deferred<T> {
  let resolve: Deferred<T>['resolve'] = () => undefined;
  let reject: Deferred<T>['reject'] = () => undefined;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

type UnaryMethod<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;
