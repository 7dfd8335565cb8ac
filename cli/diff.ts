import { Command } from 'commander';
import { maskOverlap } from '../shared/mask/compare-masks.ts';
import { coordinatorOption, dataOption, type FleetOptions } from './fleet/fleet-settings.ts';
import { layerOverlaps } from './fleet/layer-overlaps.ts';
import { withShelf } from './masks.ts';
import * as options from './options.ts';
import { countOf, percent, shortHash } from './output/figures.ts';
import { table } from './output/table.ts';

export function diffCommand(): Command {
  return new Command('diff')
    .argument('<a>', 'a mask: its hash or the beginning of it, or its concept')
    .argument('<b>', 'another one of the same checkpoint')
    .addOption(coordinatorOption())
    .addOption(dataOption())
    .addOption(options.jsonOption())
    .addHelpText('after', '\nExample:\n  $ lethe diff Neon Poster')
    .action(async (a: string, b: string, given: FleetOptions & { readonly json?: boolean }) => {
      await withShelf(given, async (shelf) => {
        const [first, second] = [await shelf.find(a), await shelf.find(b)];
        const [one, other] = [await shelf.read(first.hash), await shelf.read(second.hash)];
        const all = maskOverlap(one, other);
        const layers = layerOverlaps(one, other);
        if (given.json === true) {
          process.stdout.write(`${JSON.stringify({ a: first, b: second, ...all, layers })}\n`);
          return;
        }
        const names = [first, second].map(({ concept, hash }) => `${concept} (${shortHash(hash)})`);
        const rows = layers.map(({ site, name, both, onlyFirst, onlySecond, jaccard }) => [
          site,
          name,
          both,
          onlyFirst,
          onlySecond,
          percent(jaccard),
        ]);
        const { both, onlyFirst, onlySecond, jaccard } = all;
        const text = [
          `a  ${names[0] ?? ''}`,
          `b  ${names[1] ?? ''}`,
          '',
          table([['site', 'layer', 'both', 'only a', 'only b', 'overlap'], ...rows]),
          '',
          `both ${countOf(both)}, only a ${countOf(onlyFirst)}, only b ${countOf(onlySecond)}: overlap ${percent(jaccard)}`,
        ];
        process.stdout.write(`${text.join('\n')}\n`);
      });
    });
}
