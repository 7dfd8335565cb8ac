import type { GenerateEvent, GeneratedImage } from '../worker/diffusion/generate.ts';
import { contactSheet } from '../worker/diffusion/image.ts';
import type { Sampling } from '../shared/diffusion/sampling.ts';
import type { MaskedRun } from './generate-prunings.ts';
import { screenOf, terminalImage } from './output/terminal-image.ts';
import { drawOn, tellLine } from './output/print.ts';

/** Characters across that an image is shown in. */
const shownColumns = 24;

/** Shows images on stderr, as all that is for people alone: row by row, each with what it was made with. */
export function showImages(images: readonly GeneratedImage[], columns: number, prunings: readonly MaskedRun[]): void {
  const screen = screenOf(process.stderr);
  for (let at = 0; at < images.length; at += columns) {
    if (prunings.length > 1) tellLine(prunings[at / columns]?.title ?? '');
    if (screen === undefined) continue;
    const row = contactSheet(
      images.slice(at, at + columns).map(({ image }) => image),
      columns,
    );
    drawOn(process.stderr, terminalImage(row, Math.min(screen.columns, columns * shownColumns), screen.depth));
  }
}

/** What is said of a prompt whose end is not used. */
export function truncationWarning({ index, tokens, text }: Extract<GenerateEvent, { kind: 'truncated' }>): string {
  return `warning: prompt ${index + 1} is longer than ${tokens} tokens; this part is left out: ${text}`;
}

/** What `--json` prints. @param masks of each row of images: hashes of the masks it was made with */
export function summaryOf(
  images: readonly GeneratedImage[],
  files: readonly string[],
  sampling: Sampling,
  calls: number,
  masks: readonly (readonly string[])[],
): Readonly<Record<string, unknown>> {
  return {
    files,
    images: images.map(({ request, image, truncated }, i) => ({
      prompt: request.prompt,
      seed: request.seed.toString(),
      width: image.width,
      height: image.height,
      ...(truncated === undefined ? {} : { truncated }),
      ...(masks.flat().length === 0 ? {} : { masks: masks[Math.floor((i * masks.length) / images.length)] }),
    })),
    scheduler: sampling.scheduler,
    steps: sampling.steps,
    guidance: sampling.guidance,
    unetCalls: calls,
  };
}
