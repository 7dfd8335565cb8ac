/** Two normal numbers made together. */
export interface NormalPair {
  /** Used at once. */
  readonly now: number;
  /** Kept by the generator for the next single draw, however many vector draws come between. */
  readonly later: number;
}

/**
 * A float64 uniform in [0, 1) from two random words, the first the high one: the low 53 of the 64 bits (`random64` in
 * ATen/CPUGeneratorImpl.cpp, `uniform_real` in ATen/core/TransformationHelper.h).
 */
export function uniform53(high: number, low: number): number {
  return ((high & 0x1fffff) * 2 ** 32 + low) * 2 ** -53;
}

/**
 * The Box-Muller transform in float64 of two uniforms in [0, 1), in the order they were drawn: `normal_distribution`
 * in ATen/core/DistributionsHelper.h.
 *
 * torch takes log1p, sin and cos from the machine's libm, we take V8's. Both are within one unit of float64's last
 * place and not always the same, so once in some 10⁹ values the float32 made of it may differ in its last bit, as it
 * may between two machines that run torch. Draws of fewer than 16 values are the only ones made this way.
 */
export function normalPair(u1: number, u2: number): NormalPair {
  const radius = Math.sqrt(-2 * Math.log1p(-u2));
  const angle = 2 * Math.PI * u1;
  return { now: radius * Math.cos(angle), later: radius * Math.sin(angle) };
}
