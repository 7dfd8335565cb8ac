import { Command } from 'commander';
import { densities } from '../shared/mask/compare-masks.ts';
import type { Mask } from '../shared/mask/mask.ts';
import { coordinatorOption, dataOption, type FleetOptions } from './fleet/fleet-settings.ts';
import { siteDensities } from './fleet/site-densities.ts';
import { withShelf } from './masks.ts';
import * as options from './options.ts';
import { percent } from './output/figures.ts';
import { table } from './output/table.ts';
import { escaped } from './output/escape.ts';
import { type ListOptions, outputOption, printTables } from './output/list.ts';
import type { Terminal } from './output/terminal.ts';

export function showCommand(): Command {
  return new Command('show')
    .argument('<mask>', 'its hash or the beginning of it, or its concept')
    .addOption(coordinatorOption())
    .addOption(dataOption())
    .addOption(outputOption())
    .addOption(options.jsonOption())
    .addHelpText('after', '\nExample:\n  $ lethe show Neon')
    .action(async (name: string, given: FleetOptions & ListOptions) => {
      await withShelf(given, async (shelf) => {
        const { hash, campaign } = await shelf.find(name);
        const mask = await shelf.read(hash);
        const file = shelf.fileOf(hash);
        const { checkpoint, parts, timesteps } = mask;
        const layers = densities(mask);
        const sites = siteDensities(mask);
        const json = { hash, campaign, file, checkpoint, parts, timesteps, sites, layers };
        printTables(given, json, [hash], (terminal) => maskText(hash, campaign, file, mask, terminal));
      });
    });
}

function maskText(hash: string, campaign: string | undefined, file: string, mask: Mask, terminal: Terminal): string {
  const sites = siteDensities(mask).map(({ site, layers, pruned, weights, density }) => [
    site,
    layers,
    pruned,
    weights,
    percent(density),
  ]);
  const layers = densities(mask).map(({ site, name, pruned, weights, density }) => [
    site,
    name,
    pruned,
    weights,
    percent(density),
  ]);
  return [
    `mask        ${hash}`,
    `concepts    ${mask.parts.map(({ concept, method }) => escaped(`${concept} (${method})`)).join(', ')}`,
    ...(campaign === undefined ? [] : [`campaign    ${escaped(campaign)}`]),
    `checkpoint  ${escaped(mask.checkpoint)}`,
    `file        ${escaped(file)}`,
    ...mask.parts.map(({ settings }) => `settings    ${JSON.stringify(settings)}`),
    '',
    table([['site', 'layers', 'pruned', 'weights', 'density'], ...sites], [], terminal),
    '',
    table([['site', 'layer', 'pruned', 'weights', 'density'], ...layers], [], terminal),
  ].join('\n');
}
