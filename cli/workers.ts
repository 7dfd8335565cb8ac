import { Command } from 'commander';
import type { WorkerStatus } from '../gen/fleet/v1/campaign.ts';
import { coordinatorOption, dataOption, type FleetOptions, fleetSettings } from './fleet/fleet-settings.ts';
import { requireFleet } from './fleet/open-fleet.ts';
import * as options from './options.ts';
import { type ListColumn, type ListOptions, outputOption, printList } from './output/list.ts';

export function workersCommand(): Command {
  return new Command('workers')
    .addOption(coordinatorOption())
    .addOption(dataOption())
    .addOption(outputOption())
    .addOption(options.jsonOption())
    .addHelpText('after', '\nExample:\n  $ lethe workers -o wide')
    .action(async (given: FleetOptions & ListOptions) => {
      const client = await requireFleet(await fleetSettings(given));
      try {
        const workers = await client.workers();
        const none = 'no worker is connected';
        printList(given, { rows: workers, columns, name: ({ worker }) => worker, json: { workers }, none });
      } finally {
        client.close();
      }
    });
}

const columns: readonly ListColumn<WorkerStatus>[] = [
  { heading: 'worker', cell: ({ worker }) => worker },
  { heading: 'state', cell: stateOf, when: 'kept' },
  { heading: 'UNet calls/s', cell: ({ unetCallsPerSecond }) => unetCallsPerSecond.toFixed(1) },
  { heading: 'memory', cell: ({ memory }) => `${(memory / 2 ** 30).toFixed(1)} GiB` },
  { heading: 'checkpoints', cell: ({ checkpoints }) => checkpoints.length },
  { heading: 'coordinator', cell: ({ coordinator }) => coordinator },
  { heading: 'device', cell: ({ device }) => device },
  { heading: 'numerics', cell: ({ numerics }) => numerics },
];

function stateOf({ suspended, draining, running }: WorkerStatus): string {
  if (suspended !== '') return `suspended: ${suspended}`;
  if (draining) return 'draining';
  return running > 0 ? `runs ${running}` : 'idle';
}
