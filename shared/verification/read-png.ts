import { decode } from 'fast-png';
import { LetheError } from '../error/lethe-error.ts';
import type { Pixels } from './pixel-distance.ts';

/** The pixels of an 8-bit PNG file. @throws LetheError `image-invalid` for a file that is none, or of another depth. */
export function readPng(bytes: Uint8Array): Pixels {
  let image: ReturnType<typeof decode>;
  try {
    image = decode(bytes, { checkCrc: true });
  } catch (cause) {
    throw invalid(cause instanceof Error ? cause.message : String(cause), cause);
  }
  const { width, height, channels, depth, data, palette } = image;
  if (depth !== 8 || palette !== undefined || !(data instanceof Uint8Array))
    throw invalid(palette === undefined ? `it has ${depth} bits a channel` : 'it has a palette');
  return { width, height, channels, data };
}

function invalid(why: string, cause?: unknown): LetheError {
  return new LetheError('image-invalid', {
    what: 'cannot read an image',
    why,
    next: 'have it made again; images of a fleet are PNG files of 8 bits a channel',
    cause,
  });
}
