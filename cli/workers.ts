import { Command } from 'commander';
import type { WorkerStatus } from '../gen/fleet/v1/campaign.ts';
import { coordinatorOption, dataOption, type FleetOptions, fleetSettings } from './fleet/fleet-settings.ts';
import { requireFleet } from './fleet/open-fleet.ts';
import * as options from './options.ts';
import { table } from './output/table.ts';

export function workersCommand(): Command {
  return new Command('workers')
    .addOption(coordinatorOption())
    .addOption(dataOption())
    .addOption(options.jsonOption())
    .addHelpText('after', '\nExample:\n  $ lethe workers --json')
    .action(async (given: FleetOptions & { readonly json?: boolean }) => {
      const client = await requireFleet(await fleetSettings(given));
      try {
        const workers = await client.workers();
        process.stdout.write(given.json === true ? `${JSON.stringify({ workers })}\n` : `${workersText(workers)}\n`);
      } finally {
        client.close();
      }
    });
}

function workersText(workers: readonly WorkerStatus[]): string {
  if (workers.length === 0) return 'no worker is connected';
  const rows = workers.map(
    ({ worker, device, numerics, memory, checkpoints, running, unetCallsPerSecond, ...rest }) => [
      worker,
      stateOf(rest, running),
      unetCallsPerSecond.toFixed(1),
      `${(memory / 2 ** 30).toFixed(1)} GiB`,
      checkpoints.length,
      rest.coordinator,
      device,
      numerics,
    ],
  );
  const heading = ['worker', 'state', 'UNet calls/s', 'memory', 'checkpoints', 'coordinator', 'device', 'numerics'];
  return table([heading, ...rows]);
}

function stateOf({ suspended, draining }: Pick<WorkerStatus, 'suspended' | 'draining'>, running: number): string {
  if (suspended !== '') return `suspended: ${suspended}`;
  if (draining) return 'draining';
  return running > 0 ? `runs ${running}` : 'idle';
}
