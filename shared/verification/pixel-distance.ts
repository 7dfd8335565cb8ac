import { LetheError } from '../error/lethe-error.ts';

/** Pixels of 8 bits, [height, width, channels]. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Uint8Array;
}

/** Mean absolute difference of two images of one size, of 0 (the same) to 1. @throws LetheError `image-invalid` */
export function pixelDistance(a: Pixels, b: Pixels): number {
  if (a.width !== b.width || a.height !== b.height || a.channels !== b.channels || a.data.length !== b.data.length)
    throw new LetheError('image-invalid', {
      what: 'cannot compare two images',
      why: `one is ${sizeOf(a)}, the other ${sizeOf(b)}`,
      next: 'compare images of one checkpoint and size',
    });
  let sum = 0;
  for (const [i, value] of a.data.entries()) sum += Math.abs(value - (b.data[i] ?? 0));
  return a.data.length === 0 ? 0 : sum / (255 * a.data.length);
}

function sizeOf({ width, height, channels }: Pixels): string {
  return `${width}×${height}×${channels}`;
}
