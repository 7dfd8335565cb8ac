import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { durationBuckets } from '../../shared/metrics/duration-buckets.ts';
import type { FollowRefusal } from './follow-observer.ts';
import type { QueueObserver } from './queue-observer.ts';

/** What a serving process counts. No label is of a prompt, a key or a client. */
export interface ServingMetrics extends QueueObserver {
  /** A request was answered. @param route as it is declared, such as `/v1/images/generations` */
  request(route: string, status: number, seconds: number): void;
  served(version: number, seconds: number | undefined): void;
  refused(reason: FollowRefusal): void;
  resolved(): void;
}

/** Metrics in a registry, with the names that dashboards and alert rules use. */
export function servingMetrics(registry: Registry): ServingMetrics {
  const registers = [registry];
  const requests = new Counter({
    name: 'lethe_serve_requests_total',
    help: 'Requests by route and status of the answer',
    labelNames: ['route', 'status'],
    registers,
  });
  const duration = new Histogram({
    name: 'lethe_serve_request_seconds',
    help: 'Time from a request to the end of its answer, waiting included',
    labelNames: ['route'],
    buckets: [...durationBuckets],
    registers,
  });
  const waiting = new Gauge({ name: 'lethe_serve_queue_images', help: 'Images that wait to be made', registers });
  const images = new Counter({ name: 'lethe_serve_images_total', help: 'Images that were made', registers });
  const batch = new Histogram({
    name: 'lethe_serve_batch_images',
    help: 'Images that were made together',
    buckets: [1, 2, 3, 4, 6, 8, 12, 16, 32],
    registers,
  });
  const batchSeconds = new Histogram({
    name: 'lethe_serve_batch_seconds',
    help: 'Time a batch took to be made',
    buckets: [...durationBuckets],
    registers,
  });
  const version = new Gauge({
    name: 'lethe_manifest_version_served',
    help: 'Version of the manifest that images are made under; 0 before the first',
    registers,
  });
  const applied = new Gauge({
    name: 'lethe_manifest_applied_seconds',
    help: 'Time from the publication of that manifest until it was served here',
    registers,
  });
  const refusals = new Counter({
    name: 'lethe_manifest_refusals_total',
    help: 'Manifests that were not served, by reason; the same one counts once',
    labelNames: ['reason'],
    registers,
  });
  const refused = new Gauge({
    name: 'lethe_manifest_refused',
    help: '1 while what is published is refused here',
    registers,
  });
  return {
    request(route, status, took) {
      requests.inc({ route, status });
      duration.observe({ route }, took);
    },
    depth(count) {
      waiting.set(count);
    },
    batch(count, took) {
      images.inc(count);
      batch.observe(count);
      batchSeconds.observe(took);
    },
    served(number, took) {
      version.set(number);
      if (took !== undefined) applied.set(took);
    },
    refused(reason) {
      refusals.inc({ reason });
      refused.set(1);
    },
    resolved() {
      refused.set(0);
    },
  };
}
