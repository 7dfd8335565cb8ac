import type { Image } from './image.ts';
import type { Sampling } from '../../shared/diffusion/sampling.ts';
import type { StableDiffusion } from './stable-diffusion.ts';
import { tokenizePrompts } from './tokenize-prompts.ts';
import type { Trajectory } from './trajectory.ts';

/** One image that is asked for. */
export interface ImageRequest {
  readonly prompt: string;
  readonly seed: bigint;
}

export interface GeneratedImage {
  readonly request: ImageRequest;
  readonly image: Image;
  /** The end of the prompt that did not fit into the text encoder, if there was one. */
  readonly truncated: string | undefined;
}

/** What happens on the way. */
export type GenerateEvent =
  /** A prompt is longer than the text encoder takes; `text` is left out, as the tokenizer does. */
  | { readonly kind: 'truncated'; readonly index: number; readonly tokens: number; readonly text: string }
  /** All that was asked for is in order and the work begins: so many UNet calls, over all batches. */
  | { readonly kind: 'start'; readonly calls: number }
  /** A UNet call is done; `calls` so far, over all batches. */
  | { readonly kind: 'step'; readonly calls: number };

/**
 * Images for prompts, `batch` at a time, in the order of the requests. An image does not depend on what shared its batch.
 *
 * @throws LetheError `sampling-invalid` for settings or a seed, `tensor-mismatch` for weights, before anything runs.
 */
export async function generateImages(
  model: StableDiffusion,
  sampling: Sampling,
  requests: readonly ImageRequest[],
  batch: number,
  onEvent: (event: GenerateEvent) => void,
): Promise<readonly GeneratedImage[]> {
  const scheduler = model.scheduler(sampling);
  model.checkWeights(sampling);
  const starts = requests.map(({ seed }) => model.start(seed, sampling, scheduler));
  const texts = requests.map(({ prompt }) => prompt);
  const prompts = await tokenizePrompts(model.tokenizer, texts);
  for (const [index, { truncated: text }] of prompts.entries())
    if (text !== undefined) onEvent({ kind: 'truncated', index, tokens: model.tokenizer.maxLength, text });
  onEvent({ kind: 'start', calls: Math.ceil(requests.length / batch) * scheduler.timesteps.length });

  const [empty = new Float32Array(), ...embedded] = await model.encode([model.tokenizer.encode(''), ...prompts]);
  const images: Image[] = [];
  let calls = 0;
  for (let at = 0; at < requests.length; at += batch) {
    let end: readonly Trajectory[] = starts.slice(at, at + batch);
    for await (end of model.denoise(sampling, scheduler, end, embedded.slice(at, at + batch), empty)) {
      calls += 1;
      onEvent({ kind: 'step', calls });
    }
    const latents = end.map((trajectory) => trajectory.latents);
    images.push(...(await model.decode(sampling, latents)));
  }
  return images.map((image, i) => {
    const request = requests[i] ?? { prompt: '', seed: 0n };
    return { request, image, truncated: prompts[i]?.truncated };
  });
}
