import { LetheError } from '../../shared/error/lethe-error.ts';
import { clipText } from '../../shared/model/family/clip/clip-text.ts';
import { parseClipTextConfig } from '../../shared/model/family/clip/config.ts';
import { trajectories, unet, type UNetCall } from '../../shared/model/family/unet/unet.ts';
import { type Graph, graphOf } from '../../shared/model/graph/graph.ts';
import { scaleDim } from '../../shared/model/graph/tensor-type.ts';
import type { Value } from '../../shared/model/graph/value.ts';
import { Module, ParameterSource } from '../../shared/model/module.ts';
import { reshape } from '../../shared/model/ops/layout.ts';
import { linearInputs, tap } from '../../shared/model/tap.ts';
import type { TappedLayer } from '../../shared/statistics/partial.ts';
import type { StableDiffusion } from '../diffusion/stable-diffusion.ts';

/** A graph whose outputs are sums, and for the UNet its prediction: activations stay on the device. */
export interface SweepGraph {
  readonly graph: Graph;
  /** The name of the UNet's prediction; absent for a text encoder. */
  readonly prediction: string | undefined;
  /** The output that holds each layer's sums, float[items, 1, neurons], in the order of the layers. */
  readonly sums: readonly string[];
}

/** The UNet with a tap on each layer. */
export function unetSweep(model: StableDiffusion, layers: readonly TappedLayer[], call: UNetCall): SweepGraph {
  const root = new Module(new ParameterSource(model.checkpoint.unet.weights));
  const prediction = unet(root, model.unetConfig, call);
  const inputs = linearInputs([prediction]);
  const taps = layers.map((layer) => tapLayer(layer, inputs.get(layer.name), trajectories));
  return {
    graph: graphOf('unet with taps', [prediction, ...taps]),
    prediction: prediction.name,
    sums: taps.map(({ name }) => name),
  };
}

/**
 * The text encoder with its taps. Keys and values of cross-attention all read its last hidden state: that is reduced
 * once, and every layer of these sites is given the same sums.
 */
export function textSweep(model: StableDiffusion, layers: readonly TappedLayer[]): SweepGraph {
  const { textEncoder } = model.checkpoint;
  const config = parseClipTextConfig(textEncoder);
  const length = model.tokenizer.maxLength;
  const hidden = clipText(new Module(new ParameterSource(textEncoder.weights)), config, length);
  const [prompts = 'prompts', , width = 0] = hidden.type.shape;
  const rows = reshape('last_hidden_state.rows', hidden, [scaleDim(prompts, length), width]);
  const output = tap('last_hidden_state', rows, prompts);
  const inputs = linearInputs([hidden]);
  const taps = layers.map((layer) =>
    layer.site === 'text' ? tapLayer(layer, inputs.get(layer.name), prompts) : requireWidth(layer, output),
  );
  return {
    graph: graphOf('text encoder with taps', [...new Set(taps)]),
    prediction: undefined,
    sums: taps.map(({ name }) => name),
  };
}

function tapLayer(layer: TappedLayer, input: Value | undefined, items: Value['type']['shape'][number]): Value {
  if (input === undefined)
    throw mismatch(layer, 'the weights have this layer and the model that the config asks for has not');
  return requireWidth(layer, tap(layer.name, input, items));
}

function requireWidth(layer: TappedLayer, sums: Value): Value {
  const width = sums.type.shape.at(-1);
  if (width !== layer.neurons)
    throw mismatch(layer, `its weights take ${layer.neurons} inputs, the model gives ${width ?? 0}`);
  return sums;
}

function mismatch(layer: TappedLayer, why: string): LetheError {
  return new LetheError('tensor-mismatch', {
    what: 'cannot tap the layer',
    where: layer.name,
    why,
    next: 'check that the weights and the config.json beside them are of the same model',
    layer: layer.name,
  });
}
