/**
 * a · b + c for float32 numbers, rounded to float32 once: C's `fmaf`, the AVX2 instruction `vfmadd`. Exact for every
 * operand and for results within the range of float32 (subnormal ones too).
 *
 * The product of two float32 numbers has at most 48 significant bits, so it is exact in float64; the sum with c need
 * not be. Rounding it to float64 and then to float32 differs from rounding once in one case only: the float64 sum lies
 * exactly half way between two float32 numbers while the true sum, which rounding to float64 moved there, does not.
 * Then the part that was lost (exact, by Knuth's TwoSum) says on which side of the middle the true sum is.
 */
export function fma32(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  const near = Math.fround(sum);
  // The mirror image of `near` in `sum` is a float32 number only if `sum` is one, or half way between two.
  const rest = sum - near;
  const far = sum + rest;
  if (rest === 0 || Math.fround(far) !== far) return near;
  const addend = sum - product;
  const lost = product - (sum - addend) + (c - addend);
  if (lost === 0) return near; // a true tie, which fround has resolved to even
  return lost > 0 ? Math.max(near, far) : Math.min(near, far);
}
