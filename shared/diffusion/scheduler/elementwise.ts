/**
 * Element by element arithmetic on fp32 vectors. Every operation rounds its result to fp32, as torch does between two
 * operators, so a formula written with these in diffusers' order gives diffusers' bits. Factors are fp32 already.
 */
export function multiply(factor: number, x: Float32Array): Float32Array {
  return x.map((value) => factor * value);
}

export function divide(x: Float32Array, divisor: number): Float32Array {
  return x.map((value) => value / divisor);
}

export function add(x: Float32Array, y: Float32Array): Float32Array {
  return x.map((value, i) => value + at(y, i));
}

export function subtract(x: Float32Array, y: Float32Array): Float32Array {
  return x.map((value, i) => value - at(y, i));
}

export function clamp(x: Float32Array, limit: number): Float32Array {
  return x.map((value) => (value < -limit ? -limit : value > limit ? limit : value));
}

/** An element that is known to be there: the type system cannot know an index is in range; NaN shows if it was not. */
export function at(values: ArrayLike<number>, index: number): number {
  return values[index] ?? Number.NaN;
}
