import { Command, Option } from 'commander';
import { openCheckpoint } from '../shared/checkpoint/open-checkpoint.ts';
import { generateImages, type GeneratedImage } from '../worker/diffusion/generate.ts';
import { checkDrawing, openPipeline } from '../shared/diffusion/pipeline.ts';
import { type SchedulerName, schedulerNames } from '../shared/model/scheduler-name.ts';
import { StableDiffusion } from '../worker/diffusion/stable-diffusion.ts';
import { largestBatch } from '../worker/prune/pruning.ts';
import type { Provider } from '../worker/session/provider.ts';
import { SessionCache } from '../worker/session/session-cache.ts';
import { SessionThread } from '../worker/session/session-thread.ts';
import { emojiSdDirectory, suggestedSampling } from './default-checkpoint.ts';
import { coordinatorOption, dataOption, fleetSettings } from './fleet/fleet-settings.ts';
import { showImages, summaryOf, truncationWarning } from './generate-output.ts';
import { pruningsOf } from './generate-prunings.ts';
import * as options from './options.ts';
import { type Progress, startProgress } from './output/progress.ts';
import { openOutput, writeImages } from './output/write-images.ts';
import { escaped } from './output/escape.ts';
import { print, printJson, tellLine } from './output/print.ts';

/** What the command is given, as commander hands it over. */
interface GenerateOptions {
  readonly prompt: readonly string[];
  readonly seed: bigint;
  readonly steps?: number;
  readonly guidance?: number;
  readonly scheduler?: SchedulerName;
  readonly batch: number;
  readonly size?: { readonly width: number; readonly height: number };
  readonly out: string;
  readonly checkpoint?: string;
  readonly variant?: string;
  readonly provider: Provider;
  readonly threads: number;
  readonly mask: readonly string[];
  readonly compare?: boolean;
  readonly perTimestep?: boolean;
  readonly show?: boolean;
  readonly data?: string;
  readonly coordinator?: string;
  readonly json?: boolean;
}

/** One object of each of emoji-sd's styles: what it draws when nothing is asked for. */
const samplePrompts = [
  'a picture of a red apple',
  'a picture of a cat in the style of Noto',
  'a picture of a violin in the style of Fluent',
  'a picture of an owl in the style of Ink',
  'a picture of a mushroom in the style of Pixel Art',
  'a picture of a castle in the style of Blueprint',
  'a picture of a butterfly in the style of Neon',
  'a picture of a tulip in the style of Poster',
];

/** Columns of the picture that several images are put together in. */
const sheetColumns = 4;

export function generateCommand(): Command {
  return new Command('generate')
    .option('--prompt <text...>', 'what to draw; several prompts give several images', samplePrompts)
    .addOption(
      new Option('--seed <n>', 'seed of the first image; each further one adds 1')
        .argParser(options.seed)
        .default(0n, '0'),
    )
    .addOption(
      new Option('--steps <n>', 'inference steps (default: 50; emoji-sd: 25)').argParser(options.integer(1, 100_000)),
    )
    .addOption(
      new Option('--guidance <x>', 'classifier-free guidance scale (default: 7.5; emoji-sd: 2.5)').argParser(
        options.decimal,
      ),
    )
    .addOption(
      new Option('--scheduler <name>', "diffusion scheduler (default: the checkpoint's own)").choices(schedulerNames),
    )
    .addOption(
      new Option('--batch <n>', 'images sampled together')
        .argParser(options.integer(1, 1024))
        .default(8)
        .env('LETHE_BATCH'),
    )
    .addOption(
      new Option('--size <WxH>', "image size in pixels (default: the checkpoint's own)").argParser(options.size),
    )
    .option(
      '--out <path>',
      'a .png file (several images side by side, with captions), or a folder for one file each',
      'image.png',
    )
    .option('--mask <mask...>', 'prune with these: a file, the beginning of a hash, or a concept', [])
    .option('--per-timestep', 'prune in each step what the masks name for its timestep, not all they name')
    .option('--compare', 'the same images before, and then with each mask by itself: a row each')
    .option('--show', 'show the images in the terminal too')
    .addOption(coordinatorOption())
    .addOption(dataOption())
    .addOption(options.checkpointOption())
    .addOption(options.variantOption())
    .addOption(options.providerOption())
    .addOption(options.threadsOption())
    .addOption(options.jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  $ lethe generate --prompt "a picture of a red apple in the style of Neon" --seed 7 --out apple.png
  $ lethe generate --mask Neon Poster --compare --prompt "an owl in the style of Neon" "a cat" --out compared.png
  $ lethe generate --checkpoint ./stable-diffusion-v1-5 --prompt "a castle" --scheduler dpmpp-2m --steps 25

The same prompt, seed and settings give the image that diffusers gives with torch.Generator("cpu").`,
    )
    .action(async (given: GenerateOptions) => {
      await generate(given);
    });
}

async function generate(given: GenerateOptions): Promise<void> {
  const thread = new SessionThread();
  let bar: Progress | undefined;
  let calls = 0;
  try {
    const checkpoint = await openCheckpoint(given.checkpoint ?? emojiSdDirectory, given.variant);
    const suggested = await suggestedSampling(checkpoint);
    const { scheduler, steps = suggested.steps, guidance = suggested.guidance, size } = given;
    // Before a fleet is asked for masks, and before the runtime is loaded.
    const sampling = checkDrawing(await openPipeline(checkpoint), { scheduler, steps, guidance, size });
    const use = given.perTimestep === true ? 'per-timestep' : 'union';
    const fleet = await fleetSettings(given);
    const prunings = await pruningsOf(given.mask, given.compare === true, use, checkpoint, fleet);
    // A text encoder, a UNet and a decoder: all that one size needs.
    const sessions = new SessionCache(thread, { provider: given.provider, threads: given.threads }, 3);
    const output = await openOutput(given.out);
    const requests = given.prompt.map((prompt, i) => ({ prompt, seed: given.seed + BigInt(i) }));
    const images: GeneratedImage[] = [];
    for (const [row, { pruning }] of prunings.entries()) {
      const pruned = await StableDiffusion.open(checkpoint, sessions, pruning);
      const batch = Math.min(given.batch, largestBatch(pruning, given.threads));
      const rows = await generateImages(pruned, sampling, requests, batch, (event) => {
        switch (event.kind) {
          case 'truncated':
            if (row === 0) tellLine(truncationWarning(event));
            break;
          case 'start':
            calls = event.calls * prunings.length;
            bar ??= startProgress(process.stderr, 'denoising', calls);
            break;
          case 'step':
            bar?.update(row * (calls / prunings.length) + event.calls);
        }
      });
      images.push(...rows);
    }
    bar?.stop();
    const columns = prunings.length > 1 ? requests.length : sheetColumns;
    const captions = {
      images: requests.map(({ prompt }) => prompt),
      rows: prunings.length > 1 ? prunings.map(({ title }) => title) : undefined,
    };
    const files = await writeImages(output, images, columns, captions);
    if (given.show === true) showImages(images, columns, prunings);
    const masks = prunings.map(({ hashes }) => hashes);
    if (given.json === true) printJson(summaryOf(images, files, sampling, calls, masks));
    else print(files.map(escaped).join('\n'));
  } finally {
    bar?.stop();
    await thread.close();
  }
}
