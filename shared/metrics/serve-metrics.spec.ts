import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Counter, Registry } from 'prom-client';
import { afterEach, expect, it } from 'vitest';
import { refusal } from '../checkpoint/fixture.spec-support.ts';
import { serveMetrics } from './serve-metrics.ts';

let server: Server | undefined;
afterEach(() => server?.close());

const portOf = (listening: Server): number => (listening.address() as AddressInfo).port;

it('serves the registry, tells that the process lives, and knows nothing else', async () => {
  const registry = new Registry();
  new Counter({ name: 'lethe_spec_total', help: 'Counted by a spec.', registers: [registry] }).inc(3);
  server = await serveMetrics(registry, '127.0.0.1', 0);
  const at = `http://127.0.0.1:${portOf(server)}`;
  const metrics = await fetch(`${at}/metrics`);
  expect(metrics.headers.get('content-type')).toBe(registry.contentType);
  expect(await metrics.text()).toContain('lethe_spec_total 3');
  expect(await (await fetch(`${at}/healthz`)).text()).toBe('ok\n');
  expect((await fetch(`${at}/`)).status).toBe(404);
});

it('says what to do about a port that is in use', async () => {
  server = await serveMetrics(new Registry(), '127.0.0.1', 0);
  const port = portOf(server);
  const refused = await refusal(() => serveMetrics(new Registry(), '127.0.0.1', port));
  expect(refused).toMatch(
    /^listen-failed: cannot serve metrics \(127\.0\.0\.1:\d+\): .*EADDRINUSE.* -> .*--metrics-port/,
  );
  expect(refused).toContain(`:${port}`);
});
