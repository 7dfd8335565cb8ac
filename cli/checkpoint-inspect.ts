import { Command } from 'commander';
import { checkpointId } from '../shared/checkpoint/checkpoint-id.ts';
import { openCheckpoint } from '../shared/checkpoint/open-checkpoint.ts';
import { inspectCheckpoint, type Inspection } from '../worker/diffusion/inspect.ts';
import { jsonOption, variantOption } from './options.ts';
import { exitCodes } from './output/failure.ts';
import { escaped } from './output/escape.ts';
import { type ListOptions, outputOption, printTables } from './output/list.ts';
import { table } from './output/table.ts';
import type { Terminal } from './output/terminal.ts';

export function checkpointCommand(): Command {
  return new Command('checkpoint')
    .addCommand(inspectCommand())
    .addHelpText('after', '\nExample:\n  $ lethe checkpoint inspect ./stable-diffusion-v1-5');
}

function inspectCommand(): Command {
  return new Command('inspect')
    .description(
      'Says what a checkpoint is: family, parameters, sites that can be pruned, id, and what is unsupported.',
    )
    .argument('<dir>', 'diffusers checkpoint directory')
    .addOption(variantOption())
    .addOption(outputOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Reads configs and headers, and every byte once for the id; runs nothing.
Exit code 2 if the checkpoint cannot be run.

Example:
  $ lethe checkpoint inspect ./stable-diffusion-v1-5`,
    )
    .action(async (directory: string, given: ListOptions & { readonly variant?: string }) => {
      const checkpoint = await openCheckpoint(directory, given.variant);
      const inspection = await inspectCheckpoint(checkpoint);
      const id = await checkpointId(checkpoint);
      printTables(given, { id, ...inspection }, [id], (terminal) => describe(directory, id, inspection, terminal));
      if (inspection.unsupported.length > 0) process.exitCode = exitCodes.badInput;
    });
}

function describe(directory: string, id: string, inspection: Inspection, terminal: Terminal): string {
  const { family, components, sites, unsupported, scheduler, imageSize } = inspection;
  const parts = components.map(({ name, className, parameters, dtypes }) => [
    name,
    className,
    parameters,
    dtypes.join(', '),
  ]);
  const pruned = sites.map(({ name, layers, description }) => {
    const weights = layers.reduce((sum, layer) => sum + layer.out * layer.in, 0);
    const neurons = layers.reduce((sum, layer) => sum + layer.in, 0);
    return [name, layers.length, neurons, weights, description];
  });
  const layers = sites.flatMap((site) =>
    site.layers.map((layer) => [site.name, layer.name, `${layer.out} × ${layer.in}`]),
  );
  return [
    `checkpoint  ${escaped(directory)}`,
    `id          ${id}`,
    `family      ${escaped(family)}`,
    `scheduler   ${scheduler}`,
    `image size  ${imageSize === undefined ? 'unknown' : `${imageSize.width}×${imageSize.height}`}`,
    '',
    table([['component', 'class', 'parameters', 'dtype'], ...parts], [], terminal),
    '',
    table([['site', 'layers', 'neurons', 'weights', ''], ...pruned], [], terminal),
    '',
    table([['site', 'layer', 'out × in'], ...layers], [], terminal),
    '',
    unsupported.length === 0 ? 'unsupported  nothing: this checkpoint runs' : 'unsupported',
    ...unsupported.map(({ what, where, why }) =>
      escaped(`  ${what}${where === undefined ? '' : ` (${where})`}: ${why}`),
    ),
  ].join('\n');
}
