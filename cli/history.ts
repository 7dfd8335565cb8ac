import { Command, Option } from 'commander';
import type { HistoryEntry } from '../gen/fleet/v1/mask.ts';
import { activeOf, checkpointIdOption } from './fleet/find-checkpoint.ts';
import { coordinatorOption, dataOption, type FleetOptions, fleetSettings } from './fleet/fleet-settings.ts';
import { requireFleet } from './fleet/open-fleet.ts';
import * as options from './options.ts';
import { changeText } from './output/change-text.ts';
import { table } from './output/table.ts';

interface HistoryOptions extends FleetOptions {
  readonly checkpoint?: string;
  readonly last: number;
  readonly json?: boolean;
}

export function historyCommand(): Command {
  return new Command('history')
    .addOption(checkpointIdOption())
    .addOption(
      new Option('--last <n>', 'the newest so many; 0 for all').argParser(options.integer(0, 9_999)).default(20),
    )
    .addOption(coordinatorOption())
    .addOption(dataOption())
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
        if (given.json === true) {
          process.stdout.write(`${JSON.stringify({ checkpoint, versions: all.slice(first) })}\n`);
          return;
        }
        const rows = all.map((entry, i) => [
          `${entry.version}${entry.published ? '' : ' (not published yet)'}`,
          entry.when,
          entry.who,
          changeText(entry, all[i - 1]?.masks ?? []),
          entry.why,
        ]);
        process.stdout.write(`${table([['version', 'when', 'who', 'change', 'why'], ...rows.slice(first)])}\n`);
      } finally {
        client.close();
      }
    });
}
