import { type Image, toBytes } from '../../worker/diffusion/image.ts';
import { terminalOf } from './terminal.ts';

/** A terminal that shows colours, and how many. */
export interface Screen {
  readonly columns: number;
  /** Bits: 24, or 8 for the 256 colours. */
  readonly depth: 24 | 8;
}

/** The screen behind a stream; undefined where there is none, or none with colours and half blocks. */
export function screenOf(stream: NodeJS.WriteStream): Screen | undefined {
  const { redraws, unicode } = terminalOf(stream);
  if (!redraws || !unicode || 'NO_COLOR' in process.env) return undefined;
  const depth = stream.getColorDepth();
  return depth < 8 ? undefined : { columns: stream.columns, depth: depth === 24 ? 24 : 8 };
}

/**
 * An image of three channels as lines of half blocks, two pixels a character one above the other, made smaller to fit
 * into `columns`.
 */
export function terminalImage(image: Image, columns: number, depth: Screen['depth']): readonly string[] {
  const width = Math.min(columns, image.width);
  const height = 2 * Math.max(1, Math.round((image.height * width) / image.width / 2));
  const pixels = toBytes(image);
  const colour = (x: number, y: number): readonly number[] => mean(pixels, image, x, y, width, height);
  return Array.from({ length: height / 2 }, (_, line) => {
    const cells = Array.from({ length: width }, (_unused, x) => {
      return `\x1b[38;${code(colour(x, 2 * line), depth)};48;${code(colour(x, 2 * line + 1), depth)}m▀`;
    });
    return `${cells.join('')}\x1b[0m`;
  });
}

/** The mean colour of what lies behind a pixel of a smaller picture. */
function mean(
  pixels: Uint8Array,
  image: Image,
  x: number,
  y: number,
  width: number,
  height: number,
): readonly number[] {
  const [left, right] = span(x, width, image.width);
  const [top, bottom] = span(y, height, image.height);
  const sums = [0, 0, 0];
  for (let row = top; row < bottom; row++)
    for (let column = left; column < right; column++)
      for (let channel = 0; channel < 3; channel++)
        sums[channel] = (sums[channel] ?? 0) + (pixels[(row * image.width + column) * image.channels + channel] ?? 0);
  return sums.map((sum) => Math.round(sum / ((right - left) * (bottom - top))));
}

function span(at: number, of: number, length: number): readonly [from: number, to: number] {
  const from = Math.floor((at * length) / of);
  return [from, Math.max(from + 1, Math.floor(((at + 1) * length) / of))];
}

/** As SGR 38 and 48 take it. */
function code(rgb: readonly number[], depth: Screen['depth']): string {
  if (depth === 24) return `2;${rgb.join(';')}`;
  const [red = 0, green = 0, blue = 0] = rgb.map((value) => Math.round((value / 255) * 5));
  return `5;${16 + 36 * red + 6 * green + blue}`;
}
