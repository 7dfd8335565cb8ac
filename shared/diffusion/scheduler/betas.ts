import { at } from './elementwise.ts';

const { fround } = Math;

/** What the noise schedule of training follows from. */
export interface BetaSettings {
  readonly num_train_timesteps: number;
  readonly beta_start: number;
  readonly beta_end: number;
  readonly beta_schedule: 'linear' | 'scaled_linear' | 'squaredcos_cap_v2';
  readonly trained_betas: readonly number[] | null;
  /** "Common Diffusion Noise Schedules and Sample Steps are Flawed", arXiv 2305.08891, algorithm 1. */
  readonly rescale_betas_zero_snr?: boolean;
}

/**
 * The share of signal that is left at each training timestep: the running product of 1 - beta, fp32.
 * Follows __init__ of diffusers/schedulers/scheduling_ddim.py (0.29.2), dtype by dtype.
 */
export function alphasCumprod(settings: BetaSettings): Float32Array {
  const betas = trainingBetas(settings);
  return cumulativeProduct(keep(settings.rescale_betas_zero_snr === true ? rescaleZeroTerminalSnr(betas) : betas));
}

function trainingBetas(settings: BetaSettings): Float32Array {
  const { num_train_timesteps: length, beta_start: start, beta_end: end } = settings;
  if (settings.trained_betas !== null) return Float32Array.from(settings.trained_betas);
  switch (settings.beta_schedule) {
    case 'linear':
      return torchLinspace(start, end, length);
    case 'scaled_linear':
      return torchLinspace(Math.sqrt(start), Math.sqrt(end), length).map((root) => root * root);
    case 'squaredcos_cap_v2':
      return Float32Array.from({ length }, (_, i) =>
        Math.min(1 - cosineAlphaBar((i + 1) / length) / cosineAlphaBar(i / length), 0.999),
      );
  }
}

function cosineAlphaBar(t: number): number {
  return Math.cos((((t + 0.008) / 1.008) * Math.PI) / 2) ** 2;
}

/** 1 - beta. */
function keep(betas: Float32Array): Float32Array {
  return betas.map((beta) => 1 - beta);
}

/** torch.cumprod on the CPU: multiplies in float64 and rounds each product. */
function cumulativeProduct(values: Float32Array): Float32Array {
  let product = 1;
  return values.map((value) => (product *= value));
}

/**
 * torch.linspace in fp32: from the start up to the middle, from the end back to it, with fused multiply-add (float64
 * holds the product of two fp32 numbers exactly) as torch's AVX2 and AVX-512 kernels are compiled.
 */
function torchLinspace(start: number, end: number, length: number): Float32Array {
  const [first, last] = [fround(start), fround(end)];
  const step = fround(fround(last - first) / (length - 1));
  const half = Math.floor(length / 2);
  if (length === 1) return Float32Array.of(first);
  return Float32Array.from({ length }, (_, i) => (i < half ? first + step * i : last - step * (length - 1 - i)));
}

function rescaleZeroTerminalSnr(betas: Float32Array): Float32Array {
  const roots = cumulativeProduct(keep(betas)).map(Math.sqrt);
  const [first, last] = [at(roots, 0), at(roots, roots.length - 1)];
  const stretch = fround(first / fround(first - last));
  const bars = roots.map((root) => fround(root - last) * stretch).map((root) => root * root);
  return bars.map((bar, i) => 1 - (i === 0 ? bar : fround(bar / at(bars, i - 1))));
}
