import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { CoordinatorMetrics } from '../../coordinator/run/coordinator-metrics.ts';
import { workerMetrics } from '../../worker/run/worker-metrics.ts';
import { servingMetrics } from '../../worker/serve/serving-metrics.ts';

it('gives no name to two things: coordinators, workers and serving processes share none', async () => {
  const registries = [new Registry(), new Registry(), new Registry()] as const;
  new CoordinatorMetrics(registries[0]);
  workerMetrics(registries[1]);
  const serving = servingMetrics(registries[2]);
  const names = registries.flatMap((registry) => registry.getMetricsAsArray().map(({ name }) => name));
  expect(names.length).toBeGreaterThan(20);
  expect(new Set(names).size).toBe(names.length);
  serving.batch(3, 1);
  serving.batch(2, 1);
  expect(await registries[2].metrics()).toContain('\nlethe_serve_images_total 5\n');
});
