import { z } from 'zod';
import type { JsonObject } from '../../../checkpoint/json-file.ts';
import { type ConfigFile, contradiction, count, oneOf, parseConfig, refuseUnless, width } from '../../config.ts';
import { type TransformersActivation, transformersActivations } from '../../blocks/activation.ts';

/** What a CLIPTextModel is built from. */
export interface ClipTextConfig {
  readonly vocabulary: number;
  readonly width: number;
  readonly hiddenWidth: number;
  readonly layers: number;
  readonly heads: number;
  /** Longest prompt in tokens, with start and end. */
  readonly positions: number;
  readonly activation: TransformersActivation;
  readonly epsilon: number;
}

/** Keys and defaults of CLIPTextConfig (transformers 4.44.2, models/clip/configuration_clip.py). */
const schema = z.object({
  vocab_size: count(10_000_000).default(49_408),
  hidden_size: width.default(512),
  intermediate_size: width.default(2048),
  num_hidden_layers: count(256).default(12),
  num_attention_heads: width.default(8),
  // The causal mask has the square of this many entries; long-prompt CLIPs have 248.
  max_position_embeddings: count(1024).default(77),
  hidden_act: z.string().default('quick_gelu'),
  layer_norm_eps: z.number().positive().default(1e-5),
});

/**
 * Reads text_encoder/config.json. Where it is the config of a whole CLIP, its text_config counts, as
 * CLIPTextConfig.from_pretrained has it (transformers 4.44.2, models/clip/configuration_clip.py).
 *
 * @throws LetheError `config-invalid` or `config-unsupported`.
 */
export function parseClipTextConfig(given: ConfigFile): ClipTextConfig {
  const file = given.config['model_type'] === 'clip' ? textConfigOf(given) : given;
  refuseUnless(file, {
    model_type: ['clip_text_model'],
    // Stable Diffusion's pipeline would mask the padding then (encode_prompt).
    use_attention_mask: [false, null],
  });
  const raw = parseConfig(schema, file);
  if (raw.hidden_size % raw.num_attention_heads !== 0)
    throw contradiction(
      file,
      'num_attention_heads',
      `hidden_size ${raw.hidden_size} does not divide into ${raw.num_attention_heads} heads`,
    );
  return {
    vocabulary: raw.vocab_size,
    width: raw.hidden_size,
    hiddenWidth: raw.intermediate_size,
    layers: raw.num_hidden_layers,
    heads: raw.num_attention_heads,
    positions: raw.max_position_embeddings,
    activation: oneOf(file, 'hidden_act', raw.hidden_act, transformersActivations),
    epsilon: raw.layer_norm_eps,
  };
}

function textConfigOf(file: ConfigFile): ConfigFile {
  const { text_config: text } = file.config;
  if (typeof text === 'object' && text !== null && !Array.isArray(text)) return { ...file, config: text as JsonObject };
  throw contradiction(file, 'text_config', 'model_type is "clip", and there is no text_config');
}
