import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { Registry } from 'prom-client';
import { LetheError } from '../error/lethe-error.ts';

/**
 * Serves a registry at /metrics, and 200 at /healthz while the process lives. Resolves when it listens.
 *
 * @param port 0 for any that is free
 * @throws LetheError `listen-failed` for an address that is in use or is none of this machine.
 */
export async function serveMetrics(registry: Registry, host: string, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url === '/healthz') {
      response.end('ok\n');
      return;
    }
    if (request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    registry.metrics().then(
      (text) => response.setHeader('content-type', registry.contentType).end(text),
      () => response.writeHead(500).end(),
    );
  });
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new LetheError('listen-failed', {
      what: 'cannot serve metrics',
      where: `${host}:${port}`,
      why: cause instanceof Error ? cause.message : String(cause),
      next: 'give another --metrics-port or --metrics-host, or end the process that listens there',
      cause,
    });
  }
  return server;
}
