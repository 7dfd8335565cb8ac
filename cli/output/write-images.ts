import { mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LetheError } from '../../shared/error/lethe-error.ts';
import type { GeneratedImage } from '../../worker/diffusion/generate.ts';
import { contactSheet } from '../../worker/diffusion/image.ts';
import { encodePng } from '../../worker/diffusion/png.ts';

/**
 * Writes images where `out` says: a name that ends in .png is one file, with several images side by side; anything else
 * is a folder with one file an image, named by its place and seed. Returns the files' names in order.
 *
 * @throws LetheError `write-failed` naming the file.
 */
export async function writeImages(
  out: string,
  images: readonly GeneratedImage[],
  columns: number,
): Promise<readonly string[]> {
  const isFolder = await stat(out).then(
    (found) => found.isDirectory(),
    () => !out.toLowerCase().endsWith('.png'),
  );
  if (!isFolder) {
    await write(
      out,
      encodePng(
        contactSheet(
          images.map(({ image }) => image),
          columns,
        ),
      ),
    );
    return [out];
  }
  const digits = String(images.length - 1).length;
  const files: string[] = [];
  for (const [i, { image, request }] of images.entries()) {
    const file = join(out, `${String(i).padStart(digits, '0')}-seed${request.seed.toString()}.png`);
    await write(file, encodePng(image));
    files.push(file);
  }
  return files;
}

async function write(file: string, bytes: Uint8Array): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, bytes);
  } catch (cause) {
    throw new LetheError('write-failed', {
      what: 'cannot write the image',
      where: file,
      why: cause instanceof Error ? cause.message : String(cause),
      next: 'name another place with --out, or free space on this one',
      cause,
    });
  }
}
