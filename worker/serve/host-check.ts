import type { IncomingMessage } from 'node:http';
import { type ApiError, badRequest } from './api-error.ts';

/** Names, in lower case and without a port, that requests may call this process; undefined: any. */
export type ServedHosts = ReadonlySet<string> | undefined;

/** Names of this machine to itself. */
const loopback: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];

/**
 * What a process is called: `names` where any are given. One that asks nobody for a key, and listens on loopback, is safe
 * from pages of other sites only while no name of theirs is taken for its own: they can have it point to this machine.
 *
 * @param host that it listens on
 */
export function servedHosts(names: readonly string[], host: string, asksForKeys: boolean): ServedHosts {
  const own = host.includes(':') ? `[${host}]` : host;
  const isLoopback = loopback.includes(own) || own.startsWith('127.');
  if (names.length === 0 && (asksForKeys || !isLoopback)) return undefined;
  return new Set([...loopback, own, ...names].map((name) => name.toLowerCase()));
}

/** Why a request is refused by its Host header. HTTP/1.0 has none, and no browser speaks it. */
export function hostFault(
  { rawHeaders, headers }: Pick<IncomingMessage, 'rawHeaders' | 'headers'>,
  hosts: ServedHosts,
): ApiError | undefined {
  // Names are at even places. Node keeps the first of several, and what is in front may have read another one.
  const count = rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host').length;
  if (count > 1) return { ...badRequest('invalid_host', 'There is more than one Host header.'), close: true };
  const host = headers.host;
  if (host === undefined) return undefined;
  const name = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d*)?$/i.exec(host)?.[1]?.toLowerCase();
  if (name === undefined) return { ...badRequest('invalid_host', 'The Host header is no host.'), close: true };
  if (hosts === undefined || hosts.has(name)) return undefined;
  const message = 'This server is not called by that name: whoever runs it names it with --hosts.';
  return { status: 421, code: 'wrong_host', message, param: null, close: true };
}
