import type { Pixels } from '../../shared/verification/pixel-distance.ts';

/** Which pixels of a line make one of another length, and by how much each counts. */
interface Taps {
  readonly from: number;
  readonly weights: readonly number[];
}

/**
 * Bilinear, with a filter as wide as the pixels that fall together when an image is made smaller: what Pillow's
 * `resize(BILINEAR)` does, which most classifiers were trained with. Up to rounding: Pillow rounds between the two passes.
 */
export function resize({ width, height, channels, data }: Pixels, toWidth: number, toHeight: number): Float32Array {
  const across = tapsOf(width, toWidth);
  const down = tapsOf(height, toHeight);
  const rows = new Float32Array(height * toWidth * channels);
  for (let y = 0; y < height; y++)
    for (const [x, { from, weights }] of across.entries())
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (const [i, weight] of weights.entries()) sum += weight * (data[(y * width + from + i) * channels + c] ?? 0);
        rows[(y * toWidth + x) * channels + c] = sum;
      }
  const line = toWidth * channels;
  const resized = new Float32Array(toHeight * line);
  for (const [y, { from, weights }] of down.entries())
    for (let at = 0; at < line; at++) {
      let sum = 0;
      for (const [i, weight] of weights.entries()) sum += weight * (rows[(from + i) * line + at] ?? 0);
      resized[y * line + at] = sum;
    }
  return resized;
}

function tapsOf(length: number, to: number): readonly Taps[] {
  const scale = length / to;
  const reach = Math.max(1, scale);
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const from = Math.max(0, Math.trunc(centre - reach + 0.5));
    const end = Math.min(length, Math.trunc(centre + reach + 0.5));
    const raw = Array.from({ length: end - from }, (__, j) =>
      Math.max(0, 1 - Math.abs((from + j + 0.5 - centre) / reach)),
    );
    const sum = raw.reduce((total, weight) => total + weight, 0);
    return { from, weights: raw.map((weight) => weight / sum) };
  });
}
