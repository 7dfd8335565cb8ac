import { decode } from 'fast-png';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Image } from '../../worker/diffusion/image.ts';
import { svgPainter } from './caption-font.ts';
import { captionedSheet, captionLines } from './captioned-sheet.ts';

const imageOf = (red: number, size = 64): Image => ({
  channels: 3,
  height: size,
  width: size,
  data: Float32Array.from({ length: 3 * size * size }, (_, i) => (i < size * size ? red / 255 : 0)),
});

describe('captionLines', () => {
  it('fills lines between words, cuts what is longer than a line, and ends what is too long in an ellipsis', () => {
    expect(captionLines('a picture of a butterfly', 12, 4)).toEqual(['a picture of', 'a butterfly']);
    expect(captionLines('Donaudampfschiff', 8, 4)).toEqual(['Donaudam', 'pfschiff']);
    expect(captionLines('a b c d e f', 3, 2)).toEqual(['a b', 'c …']);
  });

  it('never gives more lines or longer ones than asked for', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.integer({ min: 2, max: 30 }),
        fc.integer({ min: 1, max: 5 }),
        (text, characters, most) => {
          const lines = captionLines(text, characters, most);
          expect(lines.length).toBeLessThanOrEqual(most);
          for (const line of lines) expect(line.length).toBeLessThanOrEqual(characters);
        },
      ),
    );
  });
});

describe('captionedSheet', () => {
  it('draws captions on white and leaves every pixel of the images as it is', async () => {
    const images = [imageOf(10), imageOf(20), imageOf(30), imageOf(40)] as const;
    const captions = { images: ['a cat', 'a <b> & "c"'], rows: ['before', 'without Neon'] };
    const sheet = decode(captionedSheet(images, 2, captions, await svgPainter()));
    const { width, data } = sheet;
    const redOf = (x: number, y: number): number => data[(y * width + x) * 3] ?? -1;
    const colours = new Map<number, number>();
    for (let i = 0; i < data.length; i += 3) {
      if (data[i + 1] !== 0 || data[i + 2] !== 0) continue;
      colours.set(data[i] ?? -1, (colours.get(data[i] ?? -1) ?? 0) + 1);
    }
    // Each is enlarged to twice its side.
    for (const red of [10, 20, 30, 40]) expect(colours.get(red)).toBe(128 * 128);
    // The corner is blank, the captions are not.
    expect(redOf(0, 0)).toBe(255);
    const dark = (from: number, to: number): boolean => {
      for (let y = from; y < to; y++)
        for (let x = 0; x < width; x++) if (redOf(x, y) < 100 && redOf(x, y) > 45) return true;
      return false;
    };
    expect(dark(0, 26)).toBe(true);
  });

  it('gives every image of a gallery a caption of its own, and the same bytes again', async () => {
    const images = [imageOf(1, 256), imageOf(2, 256), imageOf(3, 256)] as const;
    const captions = { images: ['a', 'b', 'c'], rows: undefined };
    const paint = await svgPainter();
    const first = captionedSheet(images, 2, captions, paint);
    expect(captionedSheet(images, 2, captions, paint)).toEqual(first);
    expect(captionedSheet(images, 2, { ...captions, images: ['a', 'b', 'd'] }, paint)).not.toEqual(first);
    expect(decode(first)).toMatchObject({ width: 2 * 256 + 3 * 6, channels: 3 });
  });
});
