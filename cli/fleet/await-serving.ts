import { setTimeout as after } from 'node:timers/promises';
import { Option } from 'commander';
import type { ServingProcess } from '../../gen/fleet/v1/mask.ts';
import * as options from '../options.ts';
import type { FleetClient } from './fleet-client.ts';

/** A process that serves, and how far it is. */
export interface ServingRow {
  readonly process: string;
  readonly instance: string;
  readonly version?: number | undefined;
  /** From publication until it was served. */
  readonly seconds?: number | undefined;
  /** `gone`: it served when the change was made, and nothing has been heard of it since. */
  readonly state: 'serving' | 'waiting' | 'refused' | 'gone';
  /** Why it refuses what is published. */
  readonly reason?: string | undefined;
}

/** A manifest that is to be served by. */
export interface WantedManifest {
  readonly version: number;
  readonly digest: string;
}

/** Milliseconds between looks. */
const pollMs = 100;

export const timeoutOption = (): Option =>
  new Option('--timeout <s>', 'seconds that the serving processes have to take the change over')
    .argParser(options.integer(0, 86_400))
    .default(30);

/**
 * Waits until every process that serves the checkpoint serves by a manifest, or by a newer one.
 *
 * @param before processes that served when the change was made: those of which nothing is heard any more are waited for too,
 *   since they may go on serving what was before
 * @param ms how long; after that the rows say who is behind
 * @param tell is told of each process when it has taken the change over
 */
export async function awaitServing(
  client: Pick<FleetClient, 'serving'>,
  checkpoint: string,
  wanted: WantedManifest,
  before: readonly ServingProcess[],
  ms: number,
  tell: (row: ServingRow) => void,
): Promise<readonly ServingRow[]> {
  const deadline = performance.now() + ms;
  const told = new Set<string>();
  for (;;) {
    const { processes } = await client.serving(checkpoint);
    const rows = [...processes.map((each) => rowOf(each, wanted)), ...gone(before, processes)];
    for (const row of rows)
      if (row.state === 'serving' && !told.has(row.instance)) {
        told.add(row.instance);
        tell(row);
      }
    if (rows.every(({ state }) => state === 'serving') || performance.now() >= deadline) return rows;
    await after(pollMs);
  }
}

function rowOf(found: ServingProcess, wanted: WantedManifest): ServingRow {
  const { process, instance, version = 0, digest, seconds, refusedReason } = found;
  const serves = version > wanted.version || (version === wanted.version && digest === wanted.digest);
  const row = { process, instance, version: found.version };
  if (serves) return { ...row, seconds, state: 'serving' };
  return refusedReason === undefined
    ? { ...row, state: 'waiting' }
    : { ...row, state: 'refused', reason: refusedReason };
}

function gone(before: readonly ServingProcess[], now: readonly ServingProcess[]): readonly ServingRow[] {
  const present = new Set(now.map(({ instance }) => instance));
  return before
    .filter(({ instance }) => !present.has(instance))
    .map(({ process, instance, version }) => ({ process, instance, version, state: 'gone' }));
}
