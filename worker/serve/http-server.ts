import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { LetheError } from '../../shared/error/lethe-error.ts';

/** PEM. */
export interface ServerCertificate {
  readonly certificate: Buffer;
  readonly key: Buffer;
}

/** A server that listens. */
export interface HttpServer {
  /** `http://host:port`. */
  readonly url: string;
  /** Takes no connection more and ends those that are there. Requests that have come whole are answered, however long it takes. */
  close(): Promise<void>;
}

/** Milliseconds a client may take to send its request. */
const requestMs = 30_000;
/** Milliseconds that connections without such a request have left when the server closes. */
const closingMs = 3_000;

/**
 * @param port 0 for any free one
 * @param graceMs milliseconds that a connection on which nothing is answered has left when the server closes
 * @throws LetheError `listen-failed`, also for a certificate that cannot be used.
 */
export async function listenHttp(
  app: Pick<Hono, 'fetch'>,
  host: string,
  port: number,
  tls: ServerCertificate | undefined,
  graceMs: number = closingMs,
): Promise<HttpServer> {
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const connections = new Set<Socket>();
  const unanswered = new Set<Pick<IncomingMessage, 'complete'>>();
  let endIdle: () => void = () => undefined;
  const answer = (...[request, response]: Parameters<typeof listener>): void => {
    unanswered.add(request);
    response.once('close', () => {
      unanswered.delete(request);
      endIdle();
    });
    void listener(request, response);
  };
  const settings = { requestTimeout: requestMs, headersTimeout: requestMs };
  let server: Server;
  try {
    server =
      tls === undefined
        ? createServer(settings, answer)
        : createTlsServer({ ...settings, cert: tls.certificate, key: tls.key, minVersion: 'TLSv1.2' }, answer);
    server.on('connection', (socket: Socket) => {
      connections.add(socket);
      socket.once('close', () => connections.delete(socket));
    });
    server.listen(port, host);
    await once(server, 'listening');
  } catch (cause) {
    throw new LetheError('listen-failed', {
      what: 'cannot serve images',
      where: `${host}:${port}`,
      why: cause instanceof Error ? cause.message : String(cause),
      next: 'name a free port of this machine with --port, and look at the certificate if there is one',
      cause,
    });
  }
  const { port: found } = server.address() as AddressInfo;
  const shown = host.includes(':') ? `[${host}]` : host;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${shown}:${found}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      // The server waits for a client that has said nothing, or half of something, and no time-out of its own runs any more.
      const timer = setTimeout(() => {
        endIdle = () => {
          if ([...unanswered].some(({ complete }) => complete)) return;
          for (const socket of connections) socket.destroy();
        };
        endIdle();
      }, graceMs);
      await closed;
      clearTimeout(timer);
    },
  };
}
