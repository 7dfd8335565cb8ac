import { fma32 } from './fma32.ts';

const { fround } = Math;

/** Cephes logf: ln(1 + x) = x - x²/2 + x³ · P(x), highest power first. */
const P0 = fround(7.0376836292e-2);
const P1 = fround(-1.151461031e-1);
const P2 = fround(1.167699874e-1);
const P3 = fround(-1.2420140846e-1);
const P4 = fround(1.4249322787e-1);
const P5 = fround(-1.6668057665e-1);
const P6 = fround(2.0000714765e-1);
const P7 = fround(-2.4999993993e-1);
const P8 = fround(3.3333331174e-1);
const SQRT_HALF = fround(Math.SQRT1_2);
/** ln 2 in two parts; the high one has 9 bits, so that its product with an exponent is exact. */
const LN2_LOW = fround(-2.1219444e-4);
const LN2_HIGH = fround(0.693359375);

const bits = new Int32Array(1);
const float = new Float32Array(bits.buffer);

/**
 * The natural logarithm of a normal, positive float32 number with the bits of `log256_ps` in
 * ATen/native/cpu/avx_mathfun.h, the AVX2 version of Cephes' logf (Moshier). That file multiplies and adds; what runs
 * is what the compiler makes of it, and GCC fuses a product into the sum that is its only use, the first product where
 * both terms are one. Every fma32 here is such a place, every fround one that is not.
 */
export function log32(value: number): number {
  float[0] = value;
  const pattern = bits[0] ?? 0;
  let exponent = (pattern >>> 23) - 126;
  // The mantissa m in [½, 1), as if with exponent -1; then x = m - 1 or 2m - 1, within [√½ - 1, √2 - 1].
  bits[0] = (pattern & 0x007fffff) | 0x3f000000;
  const mantissa = float[0];
  let x = mantissa - 1;
  if (mantissa < SQRT_HALF) {
    exponent -= 1;
    x = fround(x + mantissa);
  }

  const square = fround(x * x);
  let y = fma32(P0, x, P1);
  y = fma32(y, x, P2);
  y = fma32(y, x, P3);
  y = fma32(y, x, P4);
  y = fma32(y, x, P5);
  y = fma32(y, x, P6);
  y = fma32(y, x, P7);
  y = fma32(y, x, P8);
  y = fround(y * x);
  y = fma32(y, square, fround(exponent * LN2_LOW));
  y = fma32(-0.5, square, y);
  return fma32(exponent, LN2_HIGH, fround(x + y));
}
