import { LetheError } from '../../shared/error/lethe-error.ts';
import type { GeneratedImage, ImageRequest } from '../diffusion/generate.ts';
import { encodePng } from '../diffusion/png.ts';
import type { Sampling } from '../../shared/diffusion/sampling.ts';
import type { ImageAsk } from './image-request.ts';
import type { RunBatch } from './request-queue.ts';
import type { ServedSet } from './served-set.ts';

/** The images of one request, all made under one version. */
export interface MadeImages {
  readonly version: number;
  readonly digest: string;
  /** PNG. */
  readonly images: readonly Uint8Array[];
  /** The end of the prompt, which the text encoder has no room for. */
  readonly truncated: string | undefined;
}

/** Images for these requests with a prepared set of masks, `batch` at a time, none depending on the others. */
export type Generate<Prepared> = (
  prepared: Prepared,
  sampling: Sampling,
  requests: readonly ImageRequest[],
  batch: number,
  signal: AbortSignal,
) => Promise<readonly GeneratedImage[]>;

/**
 * Makes batches of requests. The set of masks is taken once a batch, so that no request is made under two.
 *
 * @param current what is served when a batch begins
 * @param sampling for an image size
 * @param most images in a UNet call
 */
export function imageMaker<Prepared>(
  current: () => ServedSet<Prepared> | undefined,
  generate: Generate<Prepared>,
  sampling: (size: ImageAsk['size']) => Sampling,
  most: number,
): RunBatch<ImageAsk, MadeImages> {
  return async (asks, signal) => {
    const [first] = asks;
    const set = current();
    if (first === undefined || set === undefined) throw nothingServed();
    const { version, digest, prepared } = set;
    const requests = asks.flatMap(({ prompt, seeds }) => seeds.map((seed) => ({ prompt, seed })));
    const made = await generate(prepared, sampling(first.size), requests, most, signal);
    let at = 0;
    return asks.map(({ seeds }) => {
      const own = made.slice(at, (at += seeds.length));
      const images = own.map(({ image }) => encodePng(image));
      return { version, digest, images, truncated: own[0]?.truncated };
    });
  };
}

function nothingServed(): LetheError {
  return new LetheError('serving-unready', {
    what: 'cannot make images',
    why: 'there is no set of masks to make them with',
    next: 'wait for the first manifest; GET /ready says what is missing',
  });
}
