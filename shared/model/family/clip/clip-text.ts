import { activate } from '../../blocks/activation.ts';
import { layerNorm } from '../../blocks/layer-norm.ts';
import { linear } from '../../blocks/linear.ts';
import { floatConstant, input, type Value } from '../../graph/value.ts';
import type { Module } from '../../module.ts';
import { add } from '../../ops/arithmetic.ts';
import { multiHeadAttention } from '../../ops/attention.ts';
import { cast, gather } from '../../ops/layout.ts';
import type { ClipTextConfig } from './config.ts';

/** Names of the graph's inputs; `prompts` is bound at run time. */
export const clipTextInputs = {
  /** int32[prompts, tokens]: padded token ids. */
  ids: 'input_ids',
} as const;

/**
 * CLIPTextModel (transformers 4.44.2, models/clip/modeling_clip.py): last_hidden_state, float[prompts, tokens, width],
 * with no mask but the causal one, as Stable Diffusion's pipeline calls it.
 *
 * @param length tokens a prompt, at most config.positions.
 */
export function clipText(root: Module, config: ClipTextConfig, length: number): Value {
  const model = root.child('text_model');
  const ids = input(clipTextInputs.ids, { element: 'int32', shape: ['prompts', length] });
  const embeddings = model.child('embeddings');
  const table = embeddings.child('token_embedding');
  // Picked first and cast then: the table is by far the largest weight, and a prompt needs 77 of its rows.
  const stored = table.parameters.stored(table.child('weight').path, [config.vocabulary, config.width]);
  const tokens = cast(table.path, gather(table.path, stored, ids), 'float');
  const place = embeddings.child('position_embedding').child('weight').path;
  const positions = root.parameters.rows(place, [config.positions, config.width], 0, length);

  const mask = causalMask(length);
  let h = add(embeddings.path, tokens, positions);
  for (let i = 0; i < config.layers; i++) h = encoderLayer(model.child(`encoder.layers.${i}`), h, mask, config);
  return layerNorm(model.child('final_layer_norm'), h, config.epsilon);
}

/** CLIPEncoderLayer: attention and MLP, each after a LayerNorm and added to its input. */
function encoderLayer(module: Module, x: Value, mask: Value, config: ClipTextConfig): Value {
  const attention = module.child('self_attn');
  const mlp = module.child('mlp');

  const normal = layerNorm(module.child('layer_norm1'), x, config.epsilon);
  const [q, k, v] = [attention.child('q_proj'), attention.child('k_proj'), attention.child('v_proj')];
  const mixed = multiHeadAttention(
    attention.path,
    linear(q, normal, config.width),
    linear(k, normal, config.width),
    linear(v, normal, config.width),
    config.heads,
    mask,
  );
  const h = add(attention.path, linear(attention.child('out_proj'), mixed, config.width), x);

  const hidden = linear(
    mlp.child('fc1'),
    layerNorm(module.child('layer_norm2'), h, config.epsilon),
    config.hiddenWidth,
  );
  return add(mlp.path, linear(mlp.child('fc2'), activate(config.activation, mlp.path, hidden), config.width), h);
}

/** Added to attention scores, [1, 1, n, n]: the lowest fp32 number where a token would see a later one. */
function causalMask(positions: number): Value {
  const lowest = -3.4028234663852886e38;
  const data = Array.from({ length: positions * positions }, (_, i) =>
    i % positions > Math.floor(i / positions) ? lowest : 0,
  );
  return floatConstant('causal_mask', [1, 1, positions, positions], data);
}
