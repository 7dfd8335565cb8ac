import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { type ApiError, errorResponse } from './api-error.ts';
import { connectionLimit, Connections } from './connections.ts';
import { hostFault, type ServedHosts } from './host-check.ts';

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

/** How long clients may take, and how many there may be. */
export interface ConnectionLimits {
  /** Milliseconds a client has to send the head of a request, and to say who it is with TLS. */
  readonly silentMs: number;
  /** Milliseconds a client may take to send its request. */
  readonly requestMs: number;
  /** Milliseconds that a connection on which nothing is answered has left when the server closes. */
  readonly graceMs: number;
  readonly connections: number;
}

/** Where an answer is written. */
type Answer = Parameters<ReturnType<typeof getRequestListener>>[1];

/** What is right outside of specs. */
const usual = { silentMs: 10_000, requestMs: 30_000, graceMs: 3_000 } as const;

/**
 * @param port 0 for any free one
 * @param hosts by which requests may call it
 * @throws LetheError `listen-failed`, also for a certificate that cannot be used.
 */
export async function listenHttp(
  app: Pick<Hono, 'fetch'>,
  host: string,
  port: number,
  tls: ServerCertificate | undefined,
  hosts?: ServedHosts,
  given: Partial<ConnectionLimits> = {},
): Promise<HttpServer> {
  const limits: ConnectionLimits = { ...usual, connections: connectionLimit(), ...given };
  // HTTP/1.0 need not name a host.
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false, hostname: 'localhost' });
  const connections = new Connections(limits.connections);
  const unanswered = new Set<Pick<IncomingMessage, 'complete'>>();
  let endIdle: () => void = () => undefined;
  const answer = (...[request, response]: Parameters<typeof listener>): void => {
    unanswered.add(request);
    const answered = connections.begin(request.socket);
    response.once('close', () => {
      unanswered.delete(request);
      answered();
      endIdle();
    });
    const fault = hostFault(request, hosts);
    if (fault !== undefined) {
      void refuse(response, fault);
      return;
    }
    void listener(request, response);
  };
  const settings = {
    requestTimeout: limits.requestMs,
    headersTimeout: limits.silentMs,
    handshakeTimeout: limits.silentMs,
    // How often Node looks for those that are late.
    connectionsCheckingInterval: Math.min(1000, limits.silentMs),
  };
  let server: Server;
  try {
    server =
      tls === undefined
        ? createServer(settings, answer)
        : createTlsServer({ ...settings, cert: tls.certificate, key: tls.key, minVersion: 'TLSv1.2' }, answer);
    server.on('connection', (socket: Socket) => {
      connections.add(socket);
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
          connections.end();
        };
        endIdle();
      }, limits.graceMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

async function refuse(answer: Answer, error: ApiError): Promise<void> {
  const refusal = errorResponse(error);
  const body = await refusal.text();
  answer.statusCode = refusal.status;
  for (const [name, value] of refusal.headers) answer.setHeader(name, value);
  answer.end(body);
}
