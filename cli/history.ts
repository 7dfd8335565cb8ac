import { Command, Option } from 'commander';
import type { HistoryEntry } from '../gen/fleet/v1/mask.ts';
import { activeOf, checkpointIdOption } from './fleet/find-checkpoint.ts';
import { coordinatorOption, dataOption, type FleetOptions, fleetSettings } from './fleet/fleet-settings.ts';
import { requireFleet } from './fleet/open-fleet.ts';
import * as options from './options.ts';
import { changeText } from './output/change-text.ts';
import { type ListColumn, type ListOptions, outputOption, printList } from './output/list.ts';

interface HistoryOptions extends FleetOptions, ListOptions {
  readonly checkpoint?: string;
  readonly last: number;
}

export function historyCommand(): Command {
  return new Command('history')
    .addOption(checkpointIdOption())
    .addOption(
      new Option('--last <n>', 'the newest so many; 0 for all').argParser(options.integer(0, 9_999)).default(20),
    )
    .addOption(coordinatorOption())
    .addOption(dataOption())
    .addOption(outputOption())
    .addOption(options.jsonOption())
    .addHelpText('after', '\nExample:\n  $ lethe history --last 5')
    .action(async (given: HistoryOptions) => {
      const client = await requireFleet(await fleetSettings(given));
      try {
        const checkpoint = (await activeOf(client, given.checkpoint))?.checkpoint;
        // One more, to tell what the first of them changed.
        const asked = given.last === 0 ? 0 : given.last + 1;
        const all: HistoryEntry[] = [];
        if (checkpoint !== undefined) for await (const entry of client.history(checkpoint, asked)) all.push(entry);
        const first = given.last > 0 && all.length > given.last ? 1 : 0;
        const rows = all.map((entry, i) => ({ entry, change: changeText(entry, all[i - 1]?.masks ?? []) }));
        printList(given, {
          rows: rows.slice(first),
          columns,
          name: ({ entry }) => String(entry.version),
          json: { checkpoint, versions: all.slice(first) },
        });
      } finally {
        client.close();
      }
    });
}

const columns: readonly ListColumn<{ readonly entry: HistoryEntry; readonly change: string }>[] = [
  {
    heading: 'version',
    cell: ({ entry: { version, published } }) => `${version}${published ? '' : ' (not published yet)'}`,
  },
  { heading: 'when', cell: ({ entry }) => entry.when, when: 'kept' },
  { heading: 'who', cell: ({ entry }) => entry.who },
  { heading: 'change', cell: ({ change }) => change, when: 'kept' },
  { heading: 'why', cell: ({ entry }) => entry.why },
];
