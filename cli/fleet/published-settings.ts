import { hostname } from 'node:os';
import { Option } from 'commander';
import type { BusAddress, BusCredentials } from '../../shared/bus/connect.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { readFleetKey } from '../../shared/manifest/fleet-key.ts';
import { readTrustList } from '../../shared/manifest/trust-list.ts';
import type { FindBus } from '../../worker/serve/fleet-link.ts';
import type { FollowKeys } from '../../worker/serve/judge-published.ts';
import { isThere } from '../keys/key-folder.ts';
import { keysOf } from '../keys/keys-options.ts';
import { findNote } from '../launcher/fleet-note.ts';

/** Where manifests are published, and whose are trusted: given, or those of the local fleet. */
export interface PublishedOptions {
  readonly nats?: readonly string[];
  readonly natsToken?: string;
  readonly natsUser?: string;
  readonly natsPassword?: string;
  readonly natsAuthority?: string;
  readonly trustList?: string;
  readonly fleetKey?: string;
}

export const publishedOptions = (): readonly Option[] => [
  new Option('--nats <host:port,...>', 'NATS servers of the fleet (default: those of the local fleet)')
    .argParser((text: string) => text.split(',').filter((each) => each !== ''))
    .env('LETHE_NATS'),
  new Option('--nats-token <token>', 'and what they let in; better set as LETHE_NATS_TOKEN').env('LETHE_NATS_TOKEN'),
  new Option('--nats-user <name>').env('LETHE_NATS_USER'),
  new Option('--nats-password <text>', 'better set as LETHE_NATS_PASSWORD').env('LETHE_NATS_PASSWORD'),
  new Option('--nats-authority <file>', 'certificate that signed those of NATS, PEM').env('LETHE_NATS_AUTHORITY'),
  new Option('--trust-list <file>', 'keys whose manifests are served (default: those of the local fleet)').env(
    'LETHE_TRUST_LIST',
  ),
  new Option('--fleet-key <file>', 'key that masks are sealed with (default: that of the local fleet)').env(
    'LETHE_FLEET_KEY',
  ),
];

/**
 * Where NATS is: as given, else the local fleet's, which is looked up again whenever it is lost: a fleet that was started anew
 * listens elsewhere.
 */
export function whereNatsIs(given: PublishedOptions, data: string): FindBus {
  const clientName = `serve ${hostname()} ${process.pid}`;
  const { nats, natsAuthority: caFile } = given;
  if (nats === undefined)
    return async () => {
      const note = await findNote(data);
      if (note?.nats === undefined) throw noFleet(data);
      const { server, token } = note.nats;
      return { servers: [server], clientName, credentials: { kind: 'token', token } };
    };
  const credentials = credentialsOf(given);
  const address: BusAddress = {
    servers: nats,
    clientName,
    ...(credentials !== undefined && { credentials }),
    ...(caFile !== undefined && { tls: { caFile } }),
  };
  return () => Promise.resolve(address);
}

function credentialsOf({ natsToken, natsUser, natsPassword = '' }: PublishedOptions): BusCredentials | undefined {
  if (natsToken !== undefined) return { kind: 'token', token: natsToken };
  return natsUser === undefined ? undefined : { kind: 'user', user: natsUser, password: natsPassword };
}

/** The trust list is read whenever something is judged; the fleet key once. @throws LetheError `key-invalid` */
export async function publishedKeys({ trustList, fleetKey }: PublishedOptions, data: string): Promise<FollowKeys> {
  const local = keysOf(data);
  const trust = trustList ?? local.trustList;
  const sealed = fleetKey ?? ((await isThere(local.fleetKey)) ? local.fleetKey : undefined);
  return { trust: () => readTrustList(trust), fleetKey: sealed === undefined ? undefined : await readFleetKey(sealed) };
}

function noFleet(where: string): LetheError {
  return new LetheError('fleet-unreachable', {
    what: 'there is no fleet to follow',
    where,
    why: 'none runs there, and no NATS is named',
    next: 'start one with `lethe up`, or name its NATS with --nats or LETHE_NATS',
  });
}
