import { Server, ServerCredentials } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { CampaignServiceService, FleetServiceService } from '../../gen/fleet/v1/campaign.ts';
import { ImageServiceService } from '../../gen/fleet/v1/image.ts';
import { MaskServiceService } from '../../gen/fleet/v1/mask.ts';
import { WorkServiceService } from '../../gen/fleet/v1/work.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { channelOptions } from '../../shared/fleet/protocol.ts';
import { requireAllowed, type Security } from '../../shared/fleet/security.ts';
import { campaignHandlers, fleetHandlers } from './campaign-handler.ts';
import type { CampaignService } from './campaign-service.ts';
import { imageHandlers } from './image-handler.ts';
import type { ImageService } from './image-service.ts';
import { maskHandlers } from './mask-handler.ts';
import type { MaskService } from './mask-service.ts';
import { workHandler } from './work-handler.ts';
import type { WorkerGate } from './worker-gate.ts';

/** A coordinator's gRPC server. */
export interface ApiServer {
  /** Where it listens; the port is the one the system chose where 0 was asked for. */
  readonly address: string;
  /** What gRPC health v1 says. It begins as serving. */
  setServing(serving: boolean): void;
  /** Ends every stream at once: workers connect to another coordinator, and keep what they have finished. */
  close(): void;
}

/**
 * Listens on `address` (`host:port`).
 *
 * @param coordinator name that workers are told, for logs
 * @throws LetheError `listen-failed`, or `usage` for plain text beyond loopback.
 */
export async function startApiServer(
  address: string,
  security: Security,
  coordinator: string,
  gate: WorkerGate,
  campaigns: CampaignService,
  masks: MaskService,
  images: ImageService,
): Promise<ApiServer> {
  requireAllowed(
    security,
    address,
    'give --tls-authority, --tls-certificate and --tls-key, or --listen on a loopback address',
  );
  const server = new Server(channelOptions);
  server.addService(WorkServiceService, { work: workHandler(gate, coordinator) });
  server.addService(CampaignServiceService, campaignHandlers(campaigns));
  server.addService(FleetServiceService, fleetHandlers(campaigns));
  server.addService(MaskServiceService, maskHandlers(masks));
  server.addService(ImageServiceService, imageHandlers(images));
  const health = new HealthImplementation({ '': 'SERVING' });
  health.addToServer(server);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, credentialsOf(security), (error, bound) => {
      if (error === null) resolve(bound);
      else
        reject(
          new LetheError('listen-failed', {
            what: 'cannot listen for workers',
            where: address,
            why: error.message,
            next: 'choose a free port of an address of this machine',
            cause: error,
          }),
        );
    });
  });
  return {
    address: address.replace(/:\d+$/, `:${port}`),
    setServing(serving) {
      health.setStatus('', serving ? 'SERVING' : 'NOT_SERVING');
    },
    close() {
      server.forceShutdown();
    },
  };
}

function credentialsOf(security: Security): ServerCredentials {
  if (security.kind === 'plain-text-loopback') return ServerCredentials.createInsecure();
  const { authority, certificate, key } = security;
  return ServerCredentials.createSsl(authority, [{ cert_chain: certificate, private_key: key }], true);
}
