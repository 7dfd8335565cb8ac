import { Command } from 'commander';
import { maskOverlap } from '../shared/mask/compare-masks.ts';
import { coordinatorOption, dataOption, type FleetOptions } from './fleet/fleet-settings.ts';
import { layerOverlaps } from './fleet/layer-overlaps.ts';
import { withShelf } from './masks.ts';
import * as options from './options.ts';
import { countOf, percent, shortHash } from './output/figures.ts';
import { table } from './output/table.ts';
import { escaped } from './output/escape.ts';
import { type ListOptions, outputOption, printTables } from './output/list.ts';
import type { Terminal } from './output/terminal.ts';

export function diffCommand(): Command {
  return new Command('diff')
    .argument('<a>', 'a mask: its hash or the beginning of it, or its concept')
    .argument('<b>', 'another one of the same checkpoint')
    .addOption(coordinatorOption())
    .addOption(dataOption())
    .addOption(outputOption())
    .addOption(options.jsonOption())
    .addHelpText('after', '\nExample:\n  $ lethe diff Neon Poster')
    .action(async (a: string, b: string, given: FleetOptions & ListOptions) => {
      await withShelf(given, async (shelf) => {
        const [first, second] = [await shelf.find(a), await shelf.find(b)];
        const [one, other] = [await shelf.read(first.hash), await shelf.read(second.hash)];
        const all = maskOverlap(one, other);
        const layers = layerOverlaps(one, other);
        const names = [first, second].map(({ concept, hash }) => escaped(`${concept} (${shortHash(hash)})`));
        const rows = layers.map(({ site, name, both, onlyFirst, onlySecond, jaccard }) => [
          site,
          name,
          both,
          onlyFirst,
          onlySecond,
          percent(jaccard),
        ]);
        const { both, onlyFirst, onlySecond, jaccard } = all;
        const text = (terminal: Terminal): string =>
          [
            `a  ${names[0] ?? ''}`,
            `b  ${names[1] ?? ''}`,
            '',
            table([['site', 'layer', 'both', 'only a', 'only b', 'overlap'], ...rows], [], terminal),
            '',
            `both ${countOf(both)}, only a ${countOf(onlyFirst)}, only b ${countOf(onlySecond)}: overlap ${percent(jaccard)}`,
          ].join('\n');
        printTables(given, { a: first, b: second, ...all, layers }, [first.hash, second.hash], text);
      });
    });
}
