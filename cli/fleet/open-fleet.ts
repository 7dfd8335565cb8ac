import { type FleetSetup, type LocalFleet, startLocalFleet } from '../launcher/local-fleet.ts';
import { findNote } from '../launcher/fleet-note.ts';
import { runningFleet } from '../launcher/running-fleet.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { FleetClient } from './fleet-client.ts';
import type { FleetSettings } from './fleet-settings.ts';

/** A fleet that a command can ask, and what the command has to end when it is done. */
export interface OpenFleet {
  readonly client: FleetClient;
  /** Started for this command; undefined if the fleet was there. */
  readonly own: LocalFleet | undefined;
  close(): Promise<void>;
}

/** The fleet that is named or runs in the data folder; undefined if there is none. */
export async function findFleet({ coordinator, data }: FleetSettings): Promise<FleetClient | undefined> {
  const address = coordinator ?? (await runningFleet(data))?.coordinator;
  return address === undefined ? undefined : new FleetClient(address);
}

/** Whether a fleet is named or runs in the data folder. */
export async function hasFleet({ coordinator, data }: FleetSettings): Promise<boolean> {
  return coordinator !== undefined || (await runningFleet(data)) !== undefined;
}

/** @throws LetheError `fleet-unreachable` if there is none. */
export async function requireFleet(settings: FleetSettings): Promise<FleetClient> {
  const client = await findFleet(settings);
  if (client !== undefined) return client;
  throw new LetheError('fleet-unreachable', {
    what: 'there is no fleet to ask',
    where: settings.data,
    why: 'none runs there, and no coordinator is named',
    next: 'start one with `lethe up`, or name its coordinator with --coordinator or LETHE_COORDINATOR',
  });
}

/** The fleet that is there, else a local one for this command alone. */
export async function openFleet(
  settings: FleetSettings,
  setup: Omit<FleetSetup, 'data' | 'port'>,
  tell: (text: string) => void,
): Promise<OpenFleet> {
  const found = await findFleet(settings);
  if (found !== undefined)
    return {
      client: found,
      own: undefined,
      close: () => {
        found.close();
        return Promise.resolve();
      },
    };
  tell(`starting a fleet for this run in ${settings.data} (${setup.workers} workers)`);
  const own = await startLocalFleet({ ...setup, data: settings.data, port: 0 }, tell);
  const client = new FleetClient(own.address);
  return {
    client,
    own,
    close: async () => {
      client.close();
      await own.stop();
    },
  };
}

/** What a command waits for; or the failure of the fleet that was started for it, for which nobody waits any more. */
export async function whileItRuns<T>({ own }: OpenFleet, work: Promise<T>): Promise<T> {
  if (own === undefined) return work;
  // Whichever fails second has nobody to tell.
  work.catch(() => undefined);
  return Promise.race([work, own.failed]);
}

/** Whether a coordinator that does not answer can be expected again: a launcher on this machine brings it back, a cluster too. */
export async function comesBack({ own }: OpenFleet, { coordinator, data }: FleetSettings): Promise<boolean> {
  return own !== undefined || coordinator !== undefined || (await findNote(data)) !== undefined;
}
