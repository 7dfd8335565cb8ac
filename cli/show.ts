import { Command } from 'commander';
import { densities } from '../shared/mask/compare-masks.ts';
import type { Mask } from '../shared/mask/mask.ts';
import { coordinatorOption, dataOption, type FleetOptions } from './fleet/fleet-settings.ts';
import { siteDensities } from './fleet/site-densities.ts';
import { withShelf } from './masks.ts';
import * as options from './options.ts';
import { percent } from './output/figures.ts';
import { table } from './output/table.ts';

export function showCommand(): Command {
  return new Command('show')
    .argument('<mask>', 'its hash or the beginning of it, or its concept')
    .addOption(coordinatorOption())
    .addOption(dataOption())
    .addOption(options.jsonOption())
    .addHelpText('after', '\nExample:\n  $ lethe show Neon')
    .action(async (name: string, given: FleetOptions & { readonly json?: boolean }) => {
      await withShelf(given, async (shelf) => {
        const { hash, campaign } = await shelf.find(name);
        const mask = await shelf.read(hash);
        const file = shelf.fileOf(hash);
        const { checkpoint, parts, timesteps } = mask;
        const layers = densities(mask);
        const sites = siteDensities(mask);
        process.stdout.write(
          given.json === true
            ? `${JSON.stringify({ hash, campaign, file, checkpoint, parts, timesteps, sites, layers })}\n`
            : `${maskText(hash, campaign, file, mask)}\n`,
        );
      });
    });
}

function maskText(hash: string, campaign: string | undefined, file: string, mask: Mask): string {
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
    `concepts    ${mask.parts.map(({ concept, method }) => `${concept} (${method})`).join(', ')}`,
    ...(campaign === undefined ? [] : [`campaign    ${campaign}`]),
    `checkpoint  ${mask.checkpoint}`,
    `file        ${file}`,
    ...mask.parts.map(({ settings }) => `settings    ${JSON.stringify(settings)}`),
    '',
    table([['site', 'layers', 'pruned', 'weights', 'density'], ...sites]),
    '',
    table([['site', 'layer', 'pruned', 'weights', 'density'], ...layers]),
  ].join('\n');
}
