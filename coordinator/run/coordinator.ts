import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { type Bus } from '../../shared/bus/bus.ts';
import type { Replicas } from '../../shared/bus/ensure-streams.ts';
import type { Security } from '../../shared/fleet/security.ts';
import { ScorePool } from '../../shared/method/conceptprune/score-pool.ts';
import { type ApiServer, startApiServer } from '../api/api-server.ts';
import type { CampaignService } from '../api/campaign-service.ts';
import type { WorkerGate } from '../api/worker-gate.ts';
import { Sums } from '../collect/sums.ts';
import { systemClock } from '../dispatch/clock.ts';
import type { Dispatch } from '../dispatch/dispatch.ts';
import { Dispatcher } from '../dispatch/dispatcher.ts';
import { defaultLimits } from '../dispatch/judge-attempts.ts';
import { keepLeases } from '../dispatch/keep-leases.ts';
import { LeaseTable } from '../dispatch/lease-table.ts';
import { PhaseTimes } from '../dispatch/phase-times.ts';
import { PullLoop } from '../dispatch/pull-loop.ts';
import { WorkerBook } from '../dispatch/worker-book.ts';
import { MaskBytes } from '../publish/mask-bytes.ts';
import { MaskSets } from '../publish/mask-set.ts';
import { publishManifest } from '../publish/publish-manifest.ts';
import { maskBlob } from '../publish/publish-mask.ts';
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
  readonly registry: Registry;
}

/** A coordinator that runs. */
export interface RunningCoordinator {
  /** Where it listens. */
  readonly address: string;
  /** What workers are announced to, and what commands ask: the same that the server serves. */
  readonly gate: WorkerGate;
  readonly desk: CampaignService;
  readonly store: Store;
  /** Rejects when something ends that must not. */
  readonly failed: Promise<never>;
  /** Ends every stream; workers keep what they do and go to another coordinator. */
  close(): Promise<void>;
}

/** Starts a coordinator: it knows what is stored before it listens, and holds nothing that is not stored. */
export async function startCoordinator(setup: CoordinatorSetup, bus: Bus, log: Logger): Promise<RunningCoordinator> {
  const { name, leaseMs } = setup;
  const store = await openStore(bus, setup.replicas, leaseMs);
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
  const leases = new LeaseTable(systemClock, leaseMs, () => times.deadlines);
  const workers = new WorkerBook(book);
  const wake = new Wake();
  const metrics = new CoordinatorMetrics(setup.registry);
  const masks = new MaskBytes(store.blobs);
  const dispatch: Dispatch = {
    store,
    book,
    masks,
    workers,
    leases,
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
  const images = new ImageDesk(store, book, campaigns, workers, shelf, new MaskSets(store.blobs, masks));
  const desk = new CampaignDesk(name, store, book, campaigns, workers, leases, shelf);

  metrics.watch(workers, leases, systemClock, () => desk.status());

  const renewal = setInterval(() => {
    dispatcher.retry();
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
  const api: ApiServer = await startApiServer(
    setup.listen,
    setup.security,
    name,
    gate,
    desk,
    {
      read: (hash) => store.blobs.get(maskBlob(hash)),
      apply: (checkpoint, apply) => publishManifest(store, checkpoint, { apply, restore: [] }),
    },
    images,
  );
  return {
    address: api.address,
    gate,
    desk,
    store,
    failed,
    async close() {
      api.setServing(false);
      stop.abort();
      clearInterval(renewal);
      api.close();
      await pool.close();
      await bus.close();
    },
  };
}
