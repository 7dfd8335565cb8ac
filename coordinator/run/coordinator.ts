import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { type Bus } from '../../shared/bus/bus.ts';
import { listServers } from '../../shared/bus/presence.ts';
import type { Replicas } from '../../shared/bus/ensure-streams.ts';
import type { Security } from '../../shared/fleet/security.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import type { FleetKey } from '../../shared/manifest/fleet-key.ts';
import { ScorePool } from '../../shared/method/conceptprune/score-pool.ts';
import { type ApiServer, startApiServer } from '../api/api-server.ts';
import type { CampaignService } from '../api/campaign-service.ts';
import type { ImageService } from '../api/image-service.ts';
import type { WorkerGate } from '../api/worker-gate.ts';
import { Sums } from '../collect/sums.ts';
import { systemClock } from '../dispatch/clock.ts';
import type { Dispatch } from '../dispatch/dispatch.ts';
import { Dispatcher } from '../dispatch/dispatcher.ts';
import { defaultLimits } from '../dispatch/judge-attempts.ts';
import { keepLeases } from '../dispatch/keep-leases.ts';
import { LeaseTable } from '../dispatch/lease-table.ts';
import { LeaseTickets } from '../dispatch/lease-tickets.ts';
import { PhaseTimes } from '../dispatch/phase-times.ts';
import { PullLoop } from '../dispatch/pull-loop.ts';
import { WorkerBook } from '../dispatch/worker-book.ts';
import type { Keyring } from '../publish/keyring.ts';
import { MaskBytes } from '../publish/mask-bytes.ts';
import { highestServed, MaskDesk, type ServingList } from '../publish/mask-desk.ts';
import { MaskSets } from '../publish/mask-set.ts';
import { RecordBook } from '../store/record-book.ts';
import { openStore, type Store } from '../store/store.ts';
import { Wake } from '../store/wake.ts';
import { CampaignDesk } from './campaign-desk.ts';
import { Campaigns } from './campaigns.ts';
import { CoordinatorMetrics } from './coordinator-metrics.ts';
import { CheckpointShelf } from './checkpoint-shelf.ts';
import { ImageDesk } from './image-desk.ts';

/** What a coordinator is told when it is set up. */
export interface CoordinatorSetup {
  readonly name: string;
  readonly listen: string;
  readonly security: Security;
  readonly replicas: Replicas;
  readonly leaseMs: number;
  readonly checkpoints: readonly string[];
  readonly scoreThreads: number;
  readonly keyring: Keyring;
  /** That masks are sealed with; undefined: they are not. */
  readonly fleetKey: FleetKey | undefined;
  readonly registry: Registry;
}

/** Milliseconds between looks for what another coordinator has decided and not published. */
const catchUpMs = 15_000;

/** A coordinator that runs. */
export interface RunningCoordinator {
  /** Where it listens. */
  readonly address: string;
  /** What workers are announced to, and what commands ask: the same that the server serves. */
  readonly gate: WorkerGate;
  readonly desk: CampaignService;
  readonly images: ImageService;
  readonly store: Store;
  /** Rejects when something ends that must not. */
  readonly failed: Promise<never>;
  /** Ends every stream; workers keep what they do and go to another coordinator. */
  close(): Promise<void>;
}

/** Starts a coordinator: it knows what is stored before it listens, and holds nothing that is not stored. */
export async function startCoordinator(setup: CoordinatorSetup, bus: Bus, log: Logger): Promise<RunningCoordinator> {
  const { name, leaseMs } = setup;
  const store = await openStore(bus, setup.replicas, leaseMs, setup.fleetKey);
  const stop = new AbortController();
  let fail: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => {
    fail = (error) => {
      if (!stop.signal.aborted) reject(error instanceof Error ? error : new TypeError(String(error)));
    };
  });
  failed.catch(() => undefined);

  const book = new RecordBook(store.records, (error) => {
    log.error({ err: error }, 'cannot read a record');
  });
  await book.follow(stop.signal, fail);

  const times = new PhaseTimes();
  const leases = new LeaseTable(systemClock, leaseMs, (workload) => times.deadlines(workload));
  const workers = new WorkerBook(book);
  const wake = new Wake();
  const metrics = new CoordinatorMetrics(setup.registry);
  const maskBytes = new MaskBytes(store.masks);
  const dispatch: Dispatch = {
    store,
    book,
    masks: maskBytes,
    workers,
    leases,
    tickets: await LeaseTickets.of(store.records),
    times,
    limits: defaultLimits,
    wake,
    observer: metrics,
    log,
  };
  book.onChange(() => {
    wake.ring();
  });
  const dispatcher = new Dispatcher(dispatch, systemClock);
  const puller = new PullLoop(dispatch, dispatcher);
  const pool = new ScorePool(setup.scoreThreads);
  const shelf = new CheckpointShelf(setup.checkpoints);
  shelf.start();
  const sums = new Sums(store, book, name, log, (seconds, won) => {
    metrics.onSummed(seconds, won);
  });
  // The end of a small sweep would wait for them otherwise.
  pool.start();
  sums.start();
  const tools = {
    store,
    book,
    sums,
    puller,
    log,
    score: (jobs: Parameters<ScorePool['score']>[0]) => pool.score(jobs),
  };
  const campaigns = new Campaigns(tools, shelf, workers, dispatcher);
  const images = new ImageDesk(store, book, campaigns, workers, shelf, new MaskSets(store.masks, maskBytes));
  const desk = new CampaignDesk(
    name,
    store,
    book,
    campaigns,
    workers,
    leases,
    shelf,
    (campaign) => dispatcher.trouble(campaign) ?? puller.trouble(campaign),
  );

  const servers: ServingList = (checkpoint) => listServers(bus, checkpoint);
  const publication = {
    store,
    keyring: setup.keyring,
    reportedVersion: (checkpoint: string) => highestServed(servers, checkpoint),
    now: () => new Date(),
    log,
  };
  const masks = new MaskDesk(store, publication, servers);
  const catchUp = (): void => {
    masks.catchUp().catch((error: unknown) => {
      const hasNoKey = error instanceof LetheError && error.code === 'signing-unavailable';
      if (!hasNoKey && !stop.signal.aborted) log.warn({ err: error }, 'cannot publish what was decided before');
    });
  };
  catchUp();
  const catchingUp = setInterval(catchUp, catchUpMs);
  metrics.watchMasks(() => masks.states());
  metrics.watch(workers, leases, systemClock, () => desk.status());

  const renewal = setInterval(() => {
    dispatcher.retry();
    puller.retry();
    campaigns.pin();
    keepLeases(dispatch, systemClock, (task) => dispatcher.sitesOf(task)).catch((error: unknown) => {
      log.warn({ err: error }, 'cannot renew leases');
    });
  }, leaseMs / 3);
  campaigns.follow(stop.signal).catch(fail);
  puller.run(stop.signal).catch(fail);

  const gate: WorkerGate = {
    onWorker(worker) {
      const listener = dispatcher.onWorker(worker);
      campaigns.pin();
      return listener;
    },
  };
  const api: ApiServer = await startApiServer(setup.listen, setup.security, name, gate, desk, masks, images);
  return {
    address: api.address,
    gate,
    desk,
    images,
    store,
    failed,
    async close() {
      api.setServing(false);
      stop.abort();
      clearInterval(renewal);
      clearInterval(catchingUp);
      api.close();
      await pool.close();
      await bus.close();
    },
  };
}
