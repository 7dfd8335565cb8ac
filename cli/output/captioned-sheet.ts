import { encode } from 'fast-png';
import { type Image, toBytes } from '../../worker/diffusion/image.ts';
import { captionFamily, characterWidth, type SvgPainter } from './caption-font.ts';
import { escaped } from './escape.ts';

/** Texts beside the images of a sheet. */
export interface SheetCaptions {
  /** Over each column, or over each image where there are no rows. */
  readonly images: readonly string[];
  /** Left of each row; undefined: every image has its own caption. */
  readonly rows: readonly string[] | undefined;
}

/** Pixels. Small images are enlarged by a whole factor, so that a caption fits and no pixel is mixed with another. */
const leastCell = 128;
const fontSize = 11;
const lineHeight = 14;
const gap = 6;
const rowTitleWidth = 110;

/** Lines of a caption at most; a longer one ends in an ellipsis. */
const mostLines = 4;

/** A text in lines of at most so many characters, cut between words where there are any. */
export function captionLines(text: string, characters: number, most: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of escaped(text).split(' ')) {
    let rest = word;
    if (line !== '' && line.length + 1 + rest.length <= characters) {
      line = `${line} ${rest}`;
      continue;
    }
    if (line !== '') lines.push(line);
    for (; rest.length > characters; rest = rest.slice(characters)) lines.push(rest.slice(0, characters));
    line = rest;
  }
  if (line !== '') lines.push(line);
  if (lines.length <= most) return lines;
  const last = lines[most - 1] ?? '';
  return [...lines.slice(0, most - 1), `${last.slice(0, characters - 1)}…`];
}

/**
 * A PNG of images in rows of `columns`, on white, with their captions. Every pixel of an image is a square of its own colour.
 *
 * @param images all of one size, float[3, height, width]
 */
export function captionedSheet(
  images: readonly [Image, ...(readonly Image[])],
  columns: number,
  captions: SheetCaptions,
  paint: SvgPainter,
): Uint8Array {
  const [first] = images;
  const scale = Math.max(1, Math.ceil(leastCell / first.width));
  const [cellWidth, cellHeight] = [first.width * scale, first.height * scale];
  const across = Math.min(columns, images.length);
  const down = Math.ceil(images.length / across);
  const perCell = Math.floor(cellWidth / (fontSize * characterWidth));
  const perTitle = Math.floor((rowTitleWidth - gap) / (fontSize * characterWidth));
  const texts = captions.images.map((text) => captionLines(text, perCell, mostLines));
  const captionHeight = Math.max(1, ...texts.map((lines) => lines.length)) * lineHeight + gap;
  const isTable = captions.rows !== undefined;
  const left = isTable ? rowTitleWidth : gap;
  // Captions stand over the columns of a table once, and over every row of a gallery.
  const topOf = (row: number): number => gap + captionHeight + row * (cellHeight + gap + (isTable ? 0 : captionHeight));
  const leftOf = (column: number): number => left + column * (cellWidth + gap);
  const [width, height] = [leftOf(across), topOf(down - 1) + cellHeight + gap];

  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">`,
    `<g font-family="${captionFamily}" font-size="${fontSize}" fill="#1c1c1c">`,
    ...texts.flatMap((lines, i) => {
      const [row, column] = isTable ? [0, i] : [Math.floor(i / across), i % across];
      return svgLines(lines, leftOf(column), topOf(row) - captionHeight + lineHeight - 3);
    }),
    ...(captions.rows ?? []).flatMap((text, row) =>
      svgLines(captionLines(text, perTitle, mostLines), gap, topOf(row) + lineHeight),
    ),
    '</g></svg>',
  ].join('');
  const data = onWhite(paint(svg));
  for (const [i, image] of images.entries())
    place(data, width, toBytes(image), image, scale, leftOf(i % across), topOf(Math.floor(i / across)));
  return encode({ width, height, channels: 3, depth: 8, data });
}

function svgLines(lines: readonly string[], x: number, y: number): readonly string[] {
  return lines.map((line, i) => `<text x="${x}" y="${y + i * lineHeight}" xml:space="preserve">${xml(line)}</text>`);
}

function xml(text: string): string {
  return text.replace(/[&<>"]/gu, (character) => `&#${character.codePointAt(0) ?? 0};`);
}

/** RGBA over white as RGB. */
function onWhite(rgba: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let i = 0; i < rgba.length / 4; i++) {
    const alpha = (rgba[4 * i + 3] ?? 0) / 255;
    for (let c = 0; c < 3; c++) rgb[3 * i + c] = Math.round((rgba[4 * i + c] ?? 0) * alpha + 255 * (1 - alpha));
  }
  return rgb;
}

/** Puts an image into the sheet, each pixel `scale` wide and high. */
function place(
  sheet: Uint8Array,
  sheetWidth: number,
  pixels: Uint8Array,
  { width, height, channels }: Image,
  scale: number,
  left: number,
  top: number,
): void {
  for (let y = 0; y < height * scale; y++)
    for (let x = 0; x < width * scale; x++)
      for (let c = 0; c < 3; c++) {
        const source = (Math.floor(y / scale) * width + Math.floor(x / scale)) * channels + (channels === 3 ? c : 0);
        sheet[((top + y) * sheetWidth + left + x) * 3 + c] = pixels[source] ?? 0;
      }
}
