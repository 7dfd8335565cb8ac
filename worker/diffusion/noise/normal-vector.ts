import { log32 } from './log32.ts';
import { sincos32 } from './sincos32.ts';

const { fround } = Math;
const TWO_PI = fround(2 * Math.PI);

/** Draws of at least this many values take the vector path, in blocks of as many. */
export const blockSize = 16;
const half = blockSize / 2;

/** A float32 uniform in [0, 1) from one random word: its low 24 bits (`uniform_real` in ATen/core/TransformationHelper.h). */
export function uniform24(word: number): number {
  return (word & 0xffffff) * 2 ** -24;
}

/**
 * Turns 16 uniforms, at `start` in `values`, into 16 normal numbers in place, by the Box-Muller transform of elements
 * j and j + 8. Source: NormalFill16<float>, earlier normal_fill_16_AVX2, in ATen/native/cpu/DistributionTemplates.h;
 * torch runs it on every x86 CPU with AVX2, those with AVX-512 as well.
 */
export function normalBlock(values: Float32Array, start: number): void {
  for (let j = start; j < start + half; j++) {
    const u1 = 1 - (values[j] ?? 0); // (0, 1], exact
    const u2 = values[j + half] ?? 0;
    const radius = fround(Math.sqrt(fround(-2 * log32(u1))));
    const { sin, cos } = sincos32(fround(TWO_PI * u2));
    // torch multiplies by the deviation 1 and adds the mean 0 here, which leaves no negative zero.
    values[j] = fround(radius * cos) + 0;
    values[j + half] = fround(radius * sin) + 0;
  }
}
