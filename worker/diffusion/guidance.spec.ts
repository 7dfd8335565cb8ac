import { describe, expect, it } from 'vitest';
import { guide } from './guidance.ts';

describe('guide', () => {
  it('is the prediction itself without guidance', () => {
    const prediction = Float32Array.of(1, 2, 3);
    expect(guide(prediction, 1, 1)).toEqual(prediction);
  });

  it('goes from the unconditional half past the conditional one', () => {
    expect(guide(Float32Array.of(1, 0, 2, -1), 2, 3)).toEqual(Float32Array.of(4, -3));
  });

  it('rounds to fp32 after every operation, the scale too', () => {
    const [u, c] = [Math.fround(Math.sin(7)), Math.fround(Math.cos(21))];
    const expected = Math.fround(u + Math.fround(Math.fround(7.1) * Math.fround(c - u)));
    expect(guide(Float32Array.of(u, c), 2, 7.1)).toEqual(Float32Array.of(expected));
    expect(expected).not.toBe(Math.fround(u + 7.1 * (c - u)));
  });

  it.each([
    [NaN, 1],
    [1, NaN],
    [Infinity, Infinity],
  ])('does not hide a value that is not finite: %d, %d', (u, c) => {
    expect(guide(Float32Array.of(u, c), 2, 7.5)[0]).toBeNaN();
  });
});
