/** Folders of a diffusers checkpoint that hold a config and weights. */
export type ComponentName = 'unet' | 'text_encoder' | 'vae';

/** What transformers' CLIP text model is made of, inside `text_model`. */
const insideTextModel = /^(?:embeddings|encoder|final_layer_norm)\./;

/** A buffer that transformers stored before 4.31; it counts 0, 1, 2 and is no parameter. */
const positionIds = /^(?:text_model\.)?embeddings\.position_ids$/;

/** Attention over pixels as diffusers stored it before 0.16 (`_convert_deprecated_attention_blocks` in models/modeling_utils.py). */
const oldAttention = /(\.attentions\.[0-9]+\.)(query|key|value|proj_attn)(\.(?:weight|bias))$/;

const newAttention: Readonly<Record<string, string>> = {
  query: 'to_q',
  key: 'to_k',
  value: 'to_v',
  proj_attn: 'to_out.0',
};

/**
 * The name that diffusers 0.29 or transformers 4.44 has in memory for the tensor stored as `name`; undefined for what
 * they ignore. Names that are not known stay as they are. Only names change, as in diffusers: an attention weight stored
 * in the shape of a 1×1 convolution is not reshaped there either, and fails for its shape.
 */
export function canonicalTensorName(component: ComponentName, name: string): string | undefined {
  if (component === 'text_encoder') {
    if (positionIds.test(name)) return undefined;
    // transformers 5 stores CLIPTextModel without the prefix.
    return insideTextModel.test(name) ? `text_model.${name}` : name;
  }
  return name.replace(
    oldAttention,
    (_, path: string, part: string, kind: string) => `${path}${newAttention[part] ?? part}${kind}`,
  );
}
