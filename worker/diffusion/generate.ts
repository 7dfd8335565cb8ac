import type { Image } from './image.ts';
import type { Sampling } from './sampling.ts';
import type { StableDiffusion } from './stable-diffusion.ts';
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
  /** A UNet call is done; `calls` so far, over all batches. */
  | { readonly kind: 'step'; readonly calls: number };

/**
 * Images for prompts, `batch` at a time, in the order of the requests. An image does not depend on what shared its batch.
 */
export async function generateImages(
  model: StableDiffusion,
  sampling: Sampling,
  requests: readonly ImageRequest[],
  batch: number,
  onEvent: (event: GenerateEvent) => void,
): Promise<readonly GeneratedImage[]> {
  const prompts = requests.map(({ prompt }) => model.tokenizer.encode(prompt));
  for (const [index, { truncated: text }] of prompts.entries())
    if (text !== undefined) onEvent({ kind: 'truncated', index, tokens: model.tokenizer.maxLength, text });

  const [empty = new Float32Array(), ...texts] = await model.encode([model.tokenizer.encode(''), ...prompts]);
  const scheduler = model.scheduler(sampling);
  const images: Image[] = [];
  let calls = 0;
  for (let at = 0; at < requests.length; at += batch) {
    const part = requests.slice(at, at + batch);
    const start: readonly Trajectory[] = part.map(({ seed }) => model.start(seed, sampling, scheduler));
    let end = start;
    for await (end of model.denoise(sampling, scheduler, start, texts.slice(at, at + batch), empty)) {
      calls += 1;
      onEvent({ kind: 'step', calls });
    }
    images.push(
      ...(await model.decode(
        sampling,
        end.map(({ latents }) => latents),
      )),
    );
  }
  return images.map((image, i) => {
    const request = requests[i] ?? { prompt: '', seed: 0n };
    return { request, image, truncated: prompts[i]?.truncated };
  });
}
