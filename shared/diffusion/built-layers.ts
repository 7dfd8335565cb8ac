import type { ComponentName } from '../checkpoint/tensor-names.ts';
import { linearInputs } from '../model/tap.ts';
import type { Value } from '../model/graph/value.ts';
import type { PipelineGraphs } from './pipeline.ts';

/** The linear layers of a pipeline's models, by component: their inputs by the path of the layer. */
export type BuiltLayers = Readonly<Partial<Record<ComponentName, ReadonlyMap<string, Value>>>>;

/**
 * The layers that the configs build, whatever else lies in the weights' files: a layer that is left over there, as after a
 * text encoder was cut short, is none. diffusers and transformers ignore such tensors too.
 */
export function builtLayers({ unet, textEncoder }: Pick<PipelineGraphs, 'unet' | 'textEncoder'>): BuiltLayers {
  return { unet: linearInputs(unet.outputs), text_encoder: linearInputs(textEncoder.outputs) };
}
