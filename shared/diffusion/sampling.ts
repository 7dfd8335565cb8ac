import { LetheError } from '../error/lethe-error.ts';
import type { SchedulerName } from '../model/scheduler-name.ts';

/** How trajectories are sampled: everything but the prompt and the seed. */
export interface Sampling {
  readonly scheduler: SchedulerName;
  /** Inference steps, as diffusers counts them; PNDM makes one UNet call more. */
  readonly steps: number;
  /** Classifier-free guidance scale (arXiv 2207.12598); at 1 and below there is none, and the empty prompt is not run. */
  readonly guidance: number;
  /** Of the latents. */
  readonly height: number;
  readonly width: number;
}

/** Rows a trajectory in a UNet call: empty prompt and prompt, or the prompt alone. */
export function rowsOf({ guidance }: Pick<Sampling, 'guidance'>): 1 | 2 {
  return guidance > 1 ? 2 : 1;
}

/** Latents of at most this side: 2,048 latent pixels are 16,384 image pixels in every published model. */
const maxSide = 2048;

/** Above it every published model gives noise; far above, latents are finite numbers that the decoder turns grey. */
const maxGuidance = 1000;

/** @throws LetheError `sampling-invalid` for a guidance that is no number or a size that is none. */
export function checkSampling(sampling: Sampling): void {
  const { guidance, height, width } = sampling;
  if (!(Math.abs(guidance) <= maxGuidance))
    throw invalid('guidance', `it is ${guidance}`, `give a number such as 7.5; at most ${maxGuidance}`);
  for (const side of [height, width]) {
    if (!Number.isInteger(side) || side < 1 || side > maxSide)
      throw invalid('size', `the latents would be ${width}×${height}`, `give sides of 1 to ${maxSide} latent pixels`);
  }
}

function invalid(where: string, why: string, next: string): LetheError {
  return new LetheError('sampling-invalid', { what: 'cannot sample', where, why, next });
}
