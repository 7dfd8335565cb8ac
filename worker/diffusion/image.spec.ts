import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contactSheet, denormalize, type Image, toBytes } from './image.ts';

const flat = (height: number, width: number, value: number): Image => ({
  channels: 3,
  height,
  width,
  data: new Float32Array(3 * height * width).fill(value),
});

describe('denormalize', () => {
  it('maps [-1, 1] to [0, 1] and clamps what is outside', () => {
    expect(denormalize(Float32Array.of(-1, 0, 1, -1.5, 3))).toEqual(Float32Array.of(0, 0.5, 1, 0, 1));
  });
});

describe('toBytes', () => {
  it('puts the channels of a pixel together', () => {
    const data = Float32Array.from([10, 20, 30, 40, 50, 60], (byte) => byte / 255);
    expect([...toBytes({ channels: 3, height: 1, width: 2, data })]).toEqual([10, 30, 50, 20, 40, 60]);
  });

  it('gives every byte back that was divided by 255', () => {
    const data = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);
    expect([...toBytes({ channels: 1, height: 16, width: 16, data })]).toEqual([...data.keys()]);
  });

  it('rounds halves to even, as numpy does', () => {
    // Exact halves after · 255 in fp32.
    const data = Float32Array.of(0.5, 0.1, 0.3);
    expect([...toBytes({ channels: 1, height: 1, width: 3, data })]).toEqual([128, 26, 76]);
  });

  it('never goes down where the value goes up, and is within half of it', () => {
    const unit = fc.float({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(unit, unit, (a, b) => {
        const [low = 0, high = 0] = toBytes({ channels: 1, height: 1, width: 2, data: Float32Array.of(a, b).sort() });
        expect(low).toBeLessThanOrEqual(high);
        expect(Math.abs(low - 255 * Math.min(a, b))).toBeLessThanOrEqual(0.50001);
      }),
    );
  });
});

describe('contactSheet', () => {
  it('is empty without images and the image itself for one', () => {
    expect(contactSheet([], 4)).toMatchObject({ height: 0, width: 0 });
    const image = flat(2, 3, 0.25);
    expect(contactSheet([image], 4)).toEqual(image);
  });

  it('has every image where it belongs and black elsewhere', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 5 }), (count, columns) => {
        const [height, width] = [2, 3];
        const images = Array.from({ length: count }, (_, i) => flat(height, width, (i + 1) / 16));
        const sheet = contactSheet(images, columns);
        const across = Math.min(columns, count);
        expect(sheet).toMatchObject({ channels: 3, width: across * width, height: Math.ceil(count / across) * height });
        for (const [at, value] of sheet.data.entries()) {
          const [x, y] = [at % sheet.width, Math.floor(at / sheet.width) % sheet.height];
          const place = Math.floor(y / height) * across + Math.floor(x / width);
          expect(value).toBe(place < count ? (place + 1) / 16 : 0);
        }
      }),
    );
  });
});
