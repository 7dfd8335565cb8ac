import { readTextFile } from '../../shared/checkpoint/text-file.ts';
import { Option } from 'commander';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { requireAllowed } from '../../shared/fleet/security.ts';
import { type Access, bearerAccess, openAccess } from '../../worker/serve/access.ts';
import type { ServerCertificate } from '../../worker/serve/http-server.ts';
import * as options from '../options.ts';

/** Where requests come in, and whose. */
export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly hosts?: readonly string[];
  readonly apiKeys?: string;
  readonly tlsCertificate?: string;
  readonly tlsKey?: string;
  readonly insecure?: boolean;
}

export const listenOptions = (): readonly Option[] => [
  new Option('--host <address>', 'address to listen on').default('127.0.0.1').env('LETHE_HOST'),
  new Option('--port <n>', 'port to listen on; 0 for any free one')
    .argParser(options.integer(0, 65535))
    .default(8080)
    .env('LETHE_PORT'),
  new Option(
    '--hosts <names>',
    'names in the Host header that are taken, with commas (default: loopback without keys: its own; else any)',
  )
    .argParser((text: string) => text.split(',').map((name) => name.trim()))
    .env('LETHE_HOSTS'),
  new Option('--api-keys <file>', 'let in only who shows one of the keys in this file, one a line').env(
    'LETHE_API_KEYS',
  ),
  new Option('--tls-certificate <file>', 'serve HTTPS with this certificate, PEM').env('LETHE_TLS_CERTIFICATE'),
  new Option('--tls-key <file>', 'and its key').env('LETHE_TLS_KEY'),
  options.flagOption(
    'insecure',
    'plain text, or without keys, on other addresses than loopback: something in front has to guard it',
    'LETHE_INSECURE',
  ),
];

/** @throws LetheError `usage` where anybody of the network could ask, in plain text or without a key. */
export async function accessOf({ apiKeys, host, insecure }: ListenOptions): Promise<Access> {
  if (apiKeys !== undefined) return bearerAccess(await fileOf(apiKeys, '--api-keys'), apiKeys);
  if (insecure !== true)
    requireLoopback(host, 'give --api-keys FILE, or --insecure if something in front asks for keys');
  return openAccess;
}

/** @throws LetheError `usage` for plain text beyond loopback. */
export async function certificateOf(given: ListenOptions): Promise<ServerCertificate | undefined> {
  const { tlsCertificate, tlsKey, host, insecure } = given;
  if (tlsCertificate !== undefined && tlsKey !== undefined)
    return {
      certificate: Buffer.from(await fileOf(tlsCertificate, '--tls-certificate')),
      key: Buffer.from(await fileOf(tlsKey, '--tls-key')),
    };
  if (tlsCertificate !== undefined || tlsKey !== undefined)
    throw usage('TLS', 'a certificate and its key belong together', 'give both --tls-certificate and --tls-key');
  if (insecure !== true)
    requireLoopback(host, 'give --tls-certificate and --tls-key, or --insecure if TLS ends in front of this process');
  return undefined;
}

function requireLoopback(host: string, next: string): void {
  try {
    requireAllowed({ kind: 'plain-text-loopback' }, host, next);
  } catch (error) {
    if (error instanceof LetheError) throw usage(host, error.why, error.next);
    throw error;
  }
}

async function fileOf(path: string, option: string): Promise<string> {
  return readTextFile(path, { limit: 2 ** 20, byteOrderMark: 'refused' }, (why, _, place = '') =>
    usage(option, `${path}${place}: ${why}`, 'name a file that can be read'),
  );
}

function usage(where: string, why: string, next: string): LetheError {
  return new LetheError('usage', { what: 'cannot serve images', where, why, next });
}
