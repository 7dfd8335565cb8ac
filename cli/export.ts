import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { checkpointId } from '../shared/checkpoint/checkpoint-id.ts';
import { openCheckpoint } from '../shared/checkpoint/open-checkpoint.ts';
import { encodeMask } from '../shared/mask/mask-file.ts';
import { type Mask, uniteMasks } from '../shared/mask/mask.ts';
import { releaseVersion } from '../shared/metrics/release.ts';
import { exportCheckpoint, type Unchanged } from '../worker/prune/export-checkpoint.ts';
import { fillWarning, writeExportNotes } from '../worker/prune/export-notes.ts';
import { exportTensors } from '../worker/prune/export-tensors.ts';
import type { Fill } from '../worker/prune/fill-pruned.ts';
import { pruningOf } from '../worker/prune/pruning.ts';
import { emojiSdDirectory } from './default-checkpoint.ts';
import { coordinatorOption, dataOption, type FleetOptions, fleetSettings } from './fleet/fleet-settings.ts';
import { type NamedMask, readMasks } from './fleet/read-masks.ts';
import * as options from './options.ts';
import { newOutput } from './output/new-output.ts';
import { escaped } from './output/escape.ts';
import { printResult } from './output/print.ts';

const formats = ['checkpoint', 'tensors', 'mask'] as const;

interface ExportOptions extends FleetOptions {
  readonly mask: readonly string[];
  readonly as: (typeof formats)[number];
  readonly fill: Fill['kind'];
  readonly seed?: string;
  readonly unchanged: Unchanged;
  readonly checkpoint?: string;
  readonly variant?: string;
  readonly json?: boolean;
}

/** What was written, beside where. */
type Exported = Readonly<Record<string, unknown>>;

export function exportCommand(): Command {
  return new Command('export')
    .argument('<out>', 'folder of the checkpoint, or .safetensors file; nothing may be there')
    .requiredOption('--mask <mask...>', 'prune with these together: a file, the beginning of a hash, or a concept')
    .addOption(new Option('--as <what>', 'what to write').choices(formats).default('checkpoint'))
    .addOption(
      new Option('--fill <fill>', 'what takes the place of pruned weights: noise does not show where they were')
        .choices(['zero', 'noise'] satisfies Fill['kind'][])
        .default('zero'),
    )
    .option('--seed <text>', 'decides the noise (default: drawn and not kept); keep it as secret as the mask')
    .addOption(
      new Option('--unchanged <how>', 'files that do not change: copy them, or hard-link them where that is possible')
        .choices(['copy', 'link'] satisfies Unchanged[])
        .default('copy'),
    )
    .addOption(options.checkpointOption())
    .addOption(options.variantOption())
    .addOption(coordinatorOption())
    .addOption(dataOption())
    .addOption(options.jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  $ lethe export ./pruned --mask violin Neon --checkpoint ./stable-diffusion-v1-5 --fill noise
  $ lethe export ./changed.safetensors --as tensors --mask violin
  $ lethe export ./violin.safetensors --as mask --mask 3fa9c1

Masks that depend on the timestep are exported as what they prune at any of them.`,
    )
    .action(async (out: string, given: ExportOptions) => {
      const masks = await readMasks(given.mask, await fleetSettings(given));
      const mask = uniteMasks(masks.map((each) => each.mask));
      const hashes = masks.map(({ hash }) => hash);
      const exported = await newOutput(resolve(out), (temporary) => write(temporary, mask, masks, given));
      const report = { out, as: given.as, masks: hashes, ...exported };
      printResult(given, report, reportText(report));
    });
}

async function write(path: string, mask: Mask, masks: readonly NamedMask[], given: ExportOptions): Promise<Exported> {
  if (given.as === 'mask') {
    await writeFile(path, encodeMask(mask));
    return {};
  }
  const checkpoint = await openCheckpoint(given.checkpoint ?? emojiSdDirectory, given.variant);
  const id = await checkpointId(checkpoint);
  const pruning = pruningOf(mask, checkpoint, id);
  const seed = given.seed ?? randomBytes(32).toString('hex');
  const fill: Fill = given.fill === 'zero' ? { kind: 'zero' } : { kind: 'noise', seed };
  const hashes = masks.map(({ hash }) => hash);
  if (given.as === 'checkpoint') {
    const exported = await exportCheckpoint(checkpoint, pruning, fill, given.unchanged, path);
    const named = masks.map((each) => ({ mask: each.hash, concepts: each.mask.parts.map(({ concept }) => concept) }));
    await writeExportNotes(path, { lethe: releaseVersion, checkpoint: id, fill: given.fill, masks: named });
    return { fill: given.fill, ...exported };
  }
  const metadata = { format: 'pt', checkpoint: id, masks: hashes.join(' ') };
  return { fill: given.fill, tensors: await exportTensors(checkpoint, pruning, fill, metadata, path) };
}

function reportText({ out, tensors, leftOut, fill }: Exported): string {
  const lines = [escaped(String(out))];
  if (typeof tensors === 'number') lines.push(`${tensors} weight matrices changed`);
  if (Array.isArray(leftOut) && leftOut.length > 0)
    lines.push(`left out, for their weights are not pruned: ${leftOut.map(String).map(escaped).join(', ')}`);
  const warning = fillWarning(String(fill));
  if (warning !== undefined) lines.push(`warning: ${warning}`);
  return lines.join('\n');
}
