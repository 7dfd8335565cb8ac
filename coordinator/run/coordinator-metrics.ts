import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { FinishedTask } from '../../shared/fleet/task.ts';
import { durationBuckets } from '../../shared/metrics/duration-buckets.ts';
import type { CampaignState } from '../api/campaign-service.ts';
import type { ServingState } from '../api/mask-service.ts';
import type { Clock } from '../dispatch/clock.ts';
import type { DispatchObserver } from '../dispatch/dispatch.ts';
import type { LeaseTable } from '../dispatch/lease-table.ts';
import type { WorkerBook } from '../dispatch/worker-book.ts';
import type { Attempt } from '../store/attempt.ts';

/**
 * What a coordinator tells Prometheus. Units by state are the fleet's, told by every coordinator alike (aggregate with
 * max); the rest is this one's own, and counters count only what won.
 */
export class CoordinatorMetrics implements DispatchObserver {
  readonly #registry: Registry;
  readonly #results: Counter;
  readonly #calls: Counter;
  readonly #bytes: Counter;
  readonly #attempts: Counter<'kind'>;
  readonly #unitSeconds: Histogram<'phase'>;
  readonly #mergeSeconds: Histogram;
  readonly #sums: Counter;

  constructor(registry: Registry) {
    this.#registry = registry;
    const registers = [registry];
    const counter = (name: string, help: string): Counter => new Counter({ name, help, registers });
    this.#results = counter('lethe_results_total', 'Results committed that count');
    this.#calls = counter('lethe_committed_unet_calls_total', 'UNet calls times trajectories, of results that count');
    this.#bytes = counter('lethe_committed_bytes_total', 'Bytes of partials and states, of results that count');
    this.#sums = counter('lethe_sums_total', 'Sums of cohorts that count');
    this.#attempts = new Counter({
      name: 'lethe_failed_attempts_total',
      help: 'Attempts at units without a result',
      labelNames: ['kind'],
      registers,
    });
    this.#unitSeconds = new Histogram({
      name: 'lethe_committed_unit_seconds',
      help: 'Time that units took whose results count, by phase',
      labelNames: ['phase'],
      buckets: [...durationBuckets],
      registers,
    });
    this.#mergeSeconds = new Histogram({
      name: 'lethe_merge_seconds',
      help: 'Time adding up a cohort took',
      buckets: [...durationBuckets],
      registers,
    });
  }

  onResult({ calls, blobs, timings }: FinishedTask): void {
    this.#results.inc();
    this.#calls.inc(calls.unetCalls);
    this.#bytes.inc(blobs.reduce((sum, { length }) => sum + length, 0));
    for (const phase of ['loading', 'encoding', 'steps', 'decoding'] as const)
      this.#unitSeconds.observe({ phase }, timings[phase] / 1000);
  }

  onAttempt(kind: Attempt['kind']): void {
    this.#attempts.inc({ kind });
  }

  onSummed(took: number, won: boolean): void {
    this.#mergeSeconds.observe(took);
    if (won) this.#sums.inc();
  }

  /** What is published and who serves by it, read when it is asked for; left as it was while NATS does not answer. */
  watchMasks(states: () => Promise<readonly { readonly checkpoint: string; readonly serving: ServingState }[]>): void {
    const registers = [this.#registry];
    const gauge = (name: string, help: string, value: (serving: ServingState) => number): void => {
      new Gauge({
        name,
        help,
        labelNames: ['checkpoint'],
        registers,
        async collect() {
          const found = await states().catch(() => undefined);
          if (found === undefined) return;
          this.reset();
          for (const { checkpoint, serving } of found) this.set({ checkpoint }, value(serving));
        },
      });
    };
    gauge(
      'lethe_manifest_version',
      'Version of the manifest that is published, by checkpoint',
      ({ published }) => published?.version ?? 0,
    );
    gauge(
      'lethe_acknowledgements_missing',
      'Serving processes that do not serve by the manifest that is published, by checkpoint',
      ({ processes }) => processes.filter(({ missing }) => missing).length,
    );
  }

  /** Gauges that are read when they are asked for. */
  watch(workers: WorkerBook, leases: LeaseTable, clock: Clock, status: () => Promise<readonly CampaignState[]>): void {
    const registers = [this.#registry];
    const states = ['waiting', 'leased', 'done', 'failed'] as const;
    new Gauge({
      name: 'lethe_units',
      help: 'Units of campaigns that are not over, by state',
      labelNames: ['state'],
      registers,
      async collect() {
        const campaigns = (await status()).filter(({ ended }) => !ended);
        for (const state of states)
          this.set(
            { state },
            campaigns.reduce((sum, { units }) => sum + units[state], 0),
          );
      },
    });
    new Gauge({
      name: 'lethe_campaigns',
      help: 'Campaigns that are not over',
      registers,
      async collect() {
        this.set((await status()).filter(({ ended }) => !ended).length);
      },
    });
    new Gauge({
      name: 'lethe_workers',
      help: 'Workers connected to this coordinator, by state',
      labelNames: ['state'],
      registers,
      collect() {
        const all = workers.all;
        const draining = all.filter((worker) => worker.draining).length;
        const suspended = all.filter((worker) => worker.suspended !== '').length;
        this.set({ state: 'draining' }, draining);
        this.set({ state: 'suspended' }, suspended);
        this.set({ state: 'ready' }, all.filter(({ closed }) => !closed).length);
      },
    });
    new Gauge({
      name: 'lethe_oldest_lease_seconds',
      help: 'Time since the last renewal of the lease that was renewed longest ago',
      registers,
      collect() {
        this.set(Math.max(0, ...leases.all.map(({ renewed }) => clock.now() - renewed)) / 1000);
      },
    });
  }
}
