import { credentials } from '@grpc/grpc-js';
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
  type VerificationEntry,
} from '../../gen/fleet/v1/mask.ts';
import { clientOptions } from '../../shared/fleet/channel.ts';
import { requireAllowed } from '../../shared/fleet/security.ts';
import { violation } from '../../shared/fleet/violation.ts';
import { ask, explained, received, send } from './remote-call.ts';

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
    const options = clientOptions(address);
    this.#campaigns = new CampaignServiceClient(address, plain, options);
    this.#fleet = new FleetServiceClient(address, plain, options);
    this.#masks = new MaskServiceClient(address, plain, options);
    this.#images = new ImageServiceClient(address, plain, options);
  }

  async submit(request: SubmitRequest): Promise<SubmitResponse> {
    return ask(this.address, this.#campaigns.submit.bind(this.#campaigns), request);
  }

  async plan(request: SubmitRequest): Promise<PlanResponse> {
    return ask(this.address, this.#campaigns.plan.bind(this.#campaigns), request);
  }

  async cancel(campaign: string, reason: string): Promise<void> {
    await ask(this.address, this.#campaigns.cancel.bind(this.#campaigns), { campaign, reason });
  }

  async status(): Promise<readonly CampaignEvent[]> {
    return (await ask(this.address, this.#fleet.status.bind(this.#fleet), {})).campaigns;
  }

  /** @param ms until a coordinator that does not answer counts as gone */
  async workers(ms?: number): Promise<readonly WorkerStatus[]> {
    return (await ask(this.address, this.#fleet.workers.bind(this.#fleet), {}, ms)).workers;
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
      if (!signal.aborted) throw explained(this.address, error);
    } finally {
      signal.removeEventListener('abort', stop);
      call.cancel();
    }
  }

  /** The bytes of a mask as they are stored: to be checked against `hash`. */
  async mask(hash: string): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for await (const { data } of received(this.address, this.#masks.fetch({ hash }))) pieces.push(data);
    return new Uint8Array(Buffer.concat(pieces));
  }

  /**
   * Makes masks of a checkpoint active, beside those that are, and restores concepts.
   *
   * @param dryRun only answer what would be active then, as `rollback` does
   */
  async apply(
    checkpoint: string,
    masks: readonly ActiveMask[],
    restore: readonly string[],
    cause: Cause,
    dryRun = false,
  ): Promise<ManifestResponse> {
    const request = { checkpoint, masks: [...masks], restore: [...restore], cause, dryRun };
    return ask(this.address, this.#masks.apply.bind(this.#masks), request);
  }

  async rollback(checkpoint: string, version: number, cause: Cause, dryRun = false): Promise<ManifestResponse> {
    return ask(this.address, this.#masks.rollback.bind(this.#masks), { checkpoint, version, cause, dryRun });
  }

  /** Signs every manifest with the key, those that it has signed already excepted. */
  sign(key: string, cause: Cause): AsyncGenerator<ManifestResponse, void> {
    return received(this.address, this.#masks.sign({ key, cause }));
  }

  /** What is active, of every checkpoint. */
  active(): AsyncGenerator<ManifestResponse, void> {
    return received(this.address, this.#masks.active({}));
  }

  /** @param limit the newest so many; 0 for all */
  history(checkpoint: string, limit: number): AsyncGenerator<HistoryEntry, void> {
    return received(this.address, this.#masks.history({ checkpoint, limit }));
  }

  audit(checkpoint: string): AsyncGenerator<AuditEntry, void> {
    return received(this.address, this.#masks.audit({ checkpoint }));
  }

  async serving(checkpoint: string): Promise<ServingResponse> {
    return ask(this.address, this.#masks.serving.bind(this.#masks), { checkpoint });
  }

  /** What is noted of verifying masks, of those that were verified. */
  verifications(masks: readonly string[]): AsyncGenerator<VerificationEntry, void> {
    return received(this.address, this.#masks.verifications({ masks: [...masks] }));
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
    return (await ask(this.address, this.#masks.recordVerification.bind(this.#masks), request)).report;
  }

  /** Has images made. Groups that are together too large for a message are sent in several. */
  async makeImages(head: ImagesHead, groups: Iterable<ImageGroup>): Promise<RequestImagesResponse> {
    const pieces = (function* (): Generator<RequestImagesRequest, void> {
      yield { piece: { $case: 'head', value: head } };
      for (const value of groups) yield { piece: { $case: 'group', value } };
    })();
    return send(this.address, this.#images.request.bind(this.#images), pieces);
  }

  /** The PNG files of stored images, in order and each whole: `protocol-violated` if they come otherwise. */
  async *images(request: FetchImagesRequest): AsyncGenerator<Uint8Array, void, undefined> {
    const asked = request.groups.reduce((sum, { trajectories }) => sum + trajectories.length, 0);
    const pieces: Uint8Array[] = [];
    let next = 0;
    for await (const { image, data, last } of received(this.address, this.#images.fetch(request))) {
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
}
