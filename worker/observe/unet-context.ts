import type { StableDiffusion } from '../diffusion/stable-diffusion.ts';
import type { HostTensor } from '../session/protocol.ts';
import type { CallCounter } from './phase.ts';

/**
 * What a batch's UNet calls read of its prompts, float[rows × trajectories, tokens, width]: the empty prompt and the
 * prompt beside each other under guidance, else the prompt alone. A prompt that occurs twice is encoded once.
 */
export async function unetContext(
  model: StableDiffusion,
  prompts: readonly string[],
  rows: 1 | 2,
  counter: CallCounter,
): Promise<HostTensor> {
  const distinct = [...new Set(rows === 2 ? ['', ...prompts] : prompts)];
  counter.prompts += distinct.length;
  const embeddings = await model.encode(distinct.map((prompt) => model.tokenizer.encode(prompt)));
  const byPrompt = new Map(distinct.map((prompt, i) => [prompt, embeddings[i] ?? new Float32Array()]));

  const tokens = model.tokenizer.maxLength;
  const width = model.unetConfig.crossAttentionWidth;
  const data = new Float32Array(prompts.length * rows * tokens * width);
  for (const [i, prompt] of prompts.entries())
    for (const [row, text] of (rows === 2 ? ['', prompt] : [prompt]).entries())
      data.set(byPrompt.get(text) ?? new Float32Array(), (rows * i + row) * tokens * width);
  return { type: 'float32', shape: [prompts.length * rows, tokens, width], data };
}
