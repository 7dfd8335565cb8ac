import { mkdir, mkdtemp, open, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LetheError } from '../../shared/error/lethe-error.ts';
import type { GeneratedImage } from '../../worker/diffusion/generate.ts';
import { encodePng } from '../../worker/diffusion/png.ts';
import { svgPainter } from './caption-font.ts';
import { captionedSheet, type SheetCaptions } from './captioned-sheet.ts';

/** Where images go: one picture of all of them side by side, or a folder with one file each. */
export interface ImageOutput {
  readonly kind: 'file' | 'folder';
  readonly path: string;
}

/**
 * What `out` means: a name that ends in .png is a file, unless it is a folder; anything else is a folder. Its folder is
 * made now, and what will be written to is tried, so that hours of work do not end at a place that cannot be.
 *
 * @throws LetheError `write-failed`.
 */
export async function openOutput(out: string): Promise<ImageOutput> {
  const found = await stat(out).catch(() => undefined);
  const isFolder = found?.isDirectory() === true || !out.toLowerCase().endsWith('.png');
  const folder = isFolder ? out : dirname(out);
  await orWriteFailed(folder, () => mkdir(folder, { recursive: true }));
  await orWriteFailed(out, async () => {
    // Permissions alone do not tell: root has them all, and a file system may be read-only.
    if (isFolder || found === undefined) await rmdir(await mkdtemp(join(folder, '.lethe-')));
    else await (await open(out, 'r+')).close();
  });
  return { kind: isFolder ? 'folder' : 'file', path: out };
}

/**
 * Writes images: into one file with captions, or each into a file of its own; those in a folder are named by their place and seed. Returns the files' names in order.
 *
 * @throws LetheError `write-failed` naming the file.
 */
export async function writeImages(
  output: ImageOutput,
  images: readonly GeneratedImage[],
  columns: number,
  captions: SheetCaptions,
): Promise<readonly string[]> {
  if (output.kind === 'file') {
    const [first, ...others] = images.map(({ image }) => image);
    // Nothing was asked for.
    if (first === undefined) return [];
    // One image is written as the model made it.
    const bytes =
      others.length === 0
        ? encodePng(first)
        : captionedSheet([first, ...others], columns, captions, await svgPainter());
    await write(output.path, bytes);
    return [output.path];
  }
  const digits = String(images.length - 1).length;
  const files: string[] = [];
  for (const [i, { image, request }] of images.entries()) {
    const file = join(output.path, `${String(i).padStart(digits, '0')}-seed${request.seed.toString()}.png`);
    await write(file, encodePng(image));
    files.push(file);
  }
  return files;
}

async function write(file: string, bytes: Uint8Array): Promise<void> {
  await orWriteFailed(file, () => writeFile(file, bytes));
}

async function orWriteFailed(where: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    throw new LetheError('write-failed', {
      what: 'cannot write images',
      where,
      why: cause instanceof Error ? cause.message : String(cause),
      next: 'name another place with --out, or free space on this one',
      cause,
    });
  }
}
