import type { Logger } from 'pino';
import type { Sampling } from '../../shared/diffusion/sampling.ts';
import { processRegistry } from '../../shared/metrics/process-registry.ts';
import type { Access } from './access.ts';
import { FleetLink, type FindBus } from './fleet-link.ts';
import type { FollowObserver } from './follow-observer.ts';
import type { ServedHosts } from './host-check.ts';
import { httpApp } from './http-app.ts';
import { type HttpServer, listenHttp, type ServerCertificate } from './http-server.ts';
import type { ImageSize, ServedModel } from './image-request.ts';
import { type Generate, imageMaker } from './make-images.ts';
import type { FollowKeys } from './judge-published.ts';
import { ManifestFollower } from './manifest-follower.ts';
import { type QueueLimits, RequestQueue } from './request-queue.ts';
import type { Preparation } from './served-set.ts';
import { ServedStateFolder } from './served-state.ts';
import { servingLog } from './serving-log.ts';
import { servingMetrics } from './serving-metrics.ts';

/** A model that can be prepared for a set of masks, and generates with one. */
export interface ImageModel<Prepared> extends Preparation<Prepared> {
  readonly served: ServedModel;
  readonly sampling: (size: ImageSize) => Sampling;
  readonly generate: Generate<Prepared>;
}

/** How a process serves. */
export interface ServingSetup {
  /** What acknowledgements and logs call it. */
  readonly name: string;
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly tls: ServerCertificate | undefined;
  readonly access: Access;
  readonly hosts: ServedHosts;
  readonly queue: QueueLimits;
  readonly deadlineMs: number;
  /** Folder that holds what must not be forgotten. */
  readonly state: string;
  readonly keys: FollowKeys;
  /** Undefined: there is no fleet, and nothing is ever published. */
  readonly bus: FindBus | undefined;
  /** Serve the checkpoint as it is until the first manifest; where one was ever accepted, it changes nothing. */
  readonly unpruned: boolean;
}

/** A process that serves. */
export interface ServingProcess {
  readonly url: string;
  /** Finishes what it has taken, refuses what is new, then ends. */
  stop(): Promise<void>;
}

/**
 * Serves images over HTTP with the active masks: those that were served last, until NATS says what is published.
 *
 * @throws LetheError `state-damaged`, `write-failed`, `listen-failed`
 */
export async function startServing<Prepared>(
  setup: ServingSetup,
  model: ImageModel<Prepared>,
  log: Logger,
): Promise<ServingProcess> {
  const { served, generate, sampling } = model;
  const registry = processRegistry('serve');
  const metrics = servingMetrics(registry);
  const told = servingLog(log);
  const folder = await ServedStateFolder.open(setup.state, served.checkpoint);
  const since = Date.now();
  let link: FleetLink | undefined;
  const observer: FollowObserver = {
    served: (version, masks, seconds) => {
      metrics.served(version, seconds);
      told.served(version, masks, seconds);
    },
    refused: (reason, why) => {
      metrics.refused(reason);
      told.refused(reason, why);
    },
    resolved: (version) => {
      metrics.resolved();
      told.resolved(version);
    },
    away: told.away,
    failed: told.failed,
    standing: (standing) => link?.say(standing),
  };
  // Once masks are known, the checkpoint as it is would be served in their place.
  const initial =
    setup.unpruned && folder.state.seen === undefined
      ? { version: 0, digest: '', union: undefined, prepared: await model.prepare(undefined) }
      : undefined;
  if (initial !== undefined) told.unpruned();
  const follower = new ManifestFollower(served.checkpoint, setup.keys, folder, model, observer, initial);
  if (setup.bus !== undefined) {
    const name = { process: setup.name, checkpoint: served.checkpoint, since };
    link = new FleetLink(
      name,
      setup.bus,
      (source) => follower.look(source),
      (error) => {
        follower.unreachable(error);
      },
    );
  }
  // After the link is there: what is restored is said as soon as NATS answers.
  await follower.restore();
  const make = imageMaker(() => follower.current, generate, sampling, setup.queue.batch);
  const queue = new RequestQueue(setup.queue, make, metrics);
  let isStopping = false;
  const app = httpApp({
    model: served,
    queue,
    access: setup.access,
    deadlineMs: setup.deadlineMs,
    unready: () => (follower.current === undefined ? follower.waiting : undefined),
    since: Math.floor(since / 1000),
    failed: told.failed,
    registry,
    isStopping: () => isStopping,
    answered: (request) => {
      metrics.request(request.route, request.status, request.seconds);
      told.answered(request);
    },
  });
  const server: HttpServer = await listenHttp(app, setup.host, setup.port, setup.tls, setup.hosts);
  told.listening(server.url);
  if (follower.current === undefined) told.waiting(follower.waiting);
  link?.start();
  return {
    url: server.url,
    stop: async () => {
      isStopping = true;
      told.stopping();
      await queue.drain();
      // Together: nobody is to wait for the acknowledgement of a process that stops.
      await Promise.all([server.close(), link?.close()]);
    },
  };
}
