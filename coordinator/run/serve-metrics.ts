import { createServer, type Server } from 'node:http';
import type { Registry } from 'prom-client';

/** Serves a registry at /metrics, and 200 at /healthz while the process lives. */
export function serveMetrics(registry: Registry, host: string, port: number): Server {
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
  return server;
}
