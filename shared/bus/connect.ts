import { type NatsConnection, type NatsError, connect as dial } from 'nats';
import { setTimeout as after } from 'node:timers/promises';
import { LetheError } from '../error/lethe-error.ts';
import { Bus, type Patience, defaultPatience } from './bus.ts';
import { busError, isRefused } from './bus-error.ts';

/** Where NATS is, and as whom to go there. */
export interface BusAddress {
  /** `host:port` or `nats://host:port`, any of one cluster. */
  readonly servers: readonly string[];
  /** Shown in the server's list of connections: `coordinator`, `worker gpu-7`. */
  readonly clientName: string;
  readonly credentials?: BusCredentials;
  readonly tls?: BusTls;
}

/** A token guards the local server of one machine; clusters have a user a role. */
export type BusCredentials =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'user'; readonly user: string; readonly password: string };

/** Paths of PEM files. */
export interface BusTls {
  readonly caFile: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

const pingMs = 3_000;
const redialMs = 200;

/**
 * Connects, and stays connected: a lost connection is dialled again for ever, and what is asked meanwhile waits as long as
 * `patience` says. A peer that has gone silent is noticed after two pings, about 6 s.
 *
 * @throws LetheError `bus-unavailable` if no server answers within the patience, `bus-refused` for wrong credentials.
 */
export async function connectBus(address: BusAddress, patience: Patience = defaultPatience): Promise<Bus> {
  const where = address.servers.join(', ');
  const deadline = Date.now() + patience.totalMs;
  for (;;) {
    try {
      return new Bus(await dialOnce(address), where, patience);
    } catch (cause) {
      if (isRefused(cause) || Date.now() + redialMs > deadline) throw unreachable(where, cause);
      await after(redialMs);
    }
  }
}

function dialOnce({ servers, clientName, credentials, tls }: BusAddress): Promise<NatsConnection> {
  return dial({
    servers: [...servers],
    name: `lethe ${clientName}`,
    pingInterval: pingMs,
    maxPingOut: 2,
    timeout: 5_000,
    maxReconnectAttempts: -1,
    reconnectTimeWait: redialMs,
    reconnectJitter: 100,
    // A rotated secret is refused until both sides have it: that must not end a fleet.
    ignoreAuthErrorAbort: true,
    ...(credentials?.kind === 'token' && { token: credentials.token }),
    ...(credentials?.kind === 'user' && { user: credentials.user, pass: credentials.password }),
    ...(tls && {
      tls: {
        caFile: tls.caFile,
        ...(tls.certFile !== undefined && { certFile: tls.certFile }),
        ...(tls.keyFile !== undefined && { keyFile: tls.keyFile }),
      },
    }),
  });
}

function unreachable(where: string, cause: unknown): LetheError {
  const error = busError('cannot connect to NATS', where, cause);
  if (error.code !== 'bus-failed') return error;
  // Name resolution and sockets have codes of their own; all of them mean that nobody is there.
  const { message } = cause as NatsError;
  return new LetheError('bus-unavailable', {
    what: 'cannot connect to NATS',
    where,
    why: message,
    next: 'look whether NATS runs there',
    cause,
  });
}
