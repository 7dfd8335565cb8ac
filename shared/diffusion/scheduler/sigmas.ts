import { at } from './elementwise.ts';
import { numpyLinspace } from './spacing.ts';

/** Noise over signal at each training timestep, fp32, rising. */
export function trainingSigmas(alphas: Float32Array): Float32Array {
  return alphas.map((alpha) => Math.sqrt(Math.fround(Math.fround(1 - alpha) / alpha)));
}

/** numpy.interp in float64 over the indices of `values`; beyond either end, the value at that end. */
export function interpolate(index: number, values: Float32Array): number {
  if (index >= values.length - 1) return at(values, values.length - 1);
  if (index <= 0) return at(values, 0);
  const low = Math.floor(index);
  return (at(values, low + 1) - at(values, low)) * (index - low) + at(values, low);
}

/**
 * Noise levels whose seventh roots are evenly spaced, falling, float64: Karras et al., "Elucidating the Design Space of
 * Diffusion-Based Generative Models", arXiv 2206.00364, equation 5; _convert_to_karras of diffusers (0.29.2).
 */
export function karrasSigmas(max: number, min: number, count: number): number[] {
  const rho = 7;
  const [high, low] = [max ** (1 / rho), min ** (1 / rho)];
  return numpyLinspace(0, 1, count).map((ramp) => (high + ramp * (low - high)) ** rho);
}

/**
 * The fractional training timestep of a noise level: linear between the logarithms of its neighbours, float64 over fp32
 * logarithms; _sigma_to_t of diffusers/schedulers/scheduling_euler_discrete.py (0.29.2) under numpy 2.
 */
export function sigmaToTimestep(sigma: number, logSigmas: Float32Array): number {
  const logSigma = Math.log(Math.max(sigma, 1e-10));
  const below = logSigmas.findLastIndex((level) => logSigma >= level);
  const low = Math.min(Math.max(below, 0), logSigmas.length - 2);
  const [from, to] = [at(logSigmas, low), at(logSigmas, low + 1)];
  const weight = Math.min(Math.max((from - logSigma) / Math.fround(from - to), 0), 1);
  return (1 - weight) * low + weight * (low + 1);
}
