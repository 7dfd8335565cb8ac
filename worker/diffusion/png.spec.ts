import { decode } from 'fast-png';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBytes } from './image.ts';
import { encodePng } from './png.ts';

describe('encodePng', () => {
  it('is decoded to the same pixels, and made of the same bytes every time', () => {
    const side = fc.integer({ min: 1, max: 9 });
    const images = fc.tuple(fc.constantFrom(1, 3, 4), side, side).chain(([channels, height, width]) =>
      fc
        .array(fc.float({ min: 0, max: 1, noNaN: true }), {
          minLength: channels * height * width,
          maxLength: channels * height * width,
        })
        .map((data) => ({ channels, height, width, data: Float32Array.from(data) })),
    );
    fc.assert(
      fc.property(images, (image) => {
        const png = encodePng(image);
        const { width, height, channels, depth, data } = decode(png);
        expect({ width, height, channels, depth }).toEqual({
          width: image.width,
          height: image.height,
          channels: image.channels,
          depth: 8,
        });
        expect(Buffer.from(data.buffer)).toEqual(Buffer.from(toBytes(image)));
        expect(encodePng(image)).toEqual(png);
      }),
    );
  });
});
