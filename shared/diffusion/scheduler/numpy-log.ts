import { at } from './elementwise.ts';

const { fround } = Math;

/** Coefficients of the rational minimax approximation, lowest power first. */
const numerator = Float32Array.of(0, 1, 2.11267757, 1.48000062, 0.380883783, 0.0258997921);
const denominator = Float32Array.of(1, 2.61267757, 2.45300603, 0.986494303, 0.154647633, 0.00587509526);

/**
 * numpy.log of an fp32 number as its AVX2 and AVX-512 kernels compute it (loops_exponent_log.dispatch.c.src):
 * about one result in five differs from the correctly rounded one, and Karras timesteps follow from it.
 */
export function numpyLog(x: number): number {
  if (!(x > 0 && x < Infinity)) return Math.log(x);
  let exponent = 0;
  let mantissa = x;
  while (mantissa > fround(Math.SQRT2)) {
    mantissa /= 2;
    exponent += 1;
  }
  while (mantissa <= fround(Math.SQRT2) / 2) {
    mantissa *= 2;
    exponent -= 1;
  }
  const y = mantissa - 1;
  return fround(exponent * fround(Math.LN2) + fround(polynomial(numerator, y) / polynomial(denominator, y)));
}

/** Horner's scheme with fused multiply-add: float64 holds the product of two fp32 numbers exactly. */
function polynomial(coefficients: Float32Array, y: number): number {
  return coefficients.reduceRight((sum, coefficient, i) => {
    return i === coefficients.length - 1 ? coefficient : fround(sum * y + at(coefficients, i));
  }, 0);
}
