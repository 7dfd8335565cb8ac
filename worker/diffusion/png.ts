import { encode } from 'fast-png';
import { type Image, toBytes } from './image.ts';

/** An 8-bit PNG. The same image gives the same bytes: nothing of time or machine is in them. */
export function encodePng(image: Image): Uint8Array {
  const { width, height, channels } = image;
  return encode({ width, height, channels, depth: 8, data: toBytes(image) });
}
