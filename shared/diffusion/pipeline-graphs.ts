import type { Checkpoint } from '../checkpoint/open-checkpoint.ts';
import { clipText } from '../model/family/clip/clip-text.ts';
import { unet, type UNetCall } from '../model/family/unet/unet.ts';
import { vaeDecoder } from '../model/family/vae/decoder.ts';
import { type Graph, graphOf } from '../model/graph/graph.ts';
import { Module, ParameterSource, type PrunedWeights } from '../model/module.ts';
import type { PipelineConfig } from './pipeline-config.ts';

/**
 * The models of a pipeline as graphs over a checkpoint's weights. Each throws LetheError `tensor-mismatch` for a weight
 * that is missing or has another shape than the config says.
 */
export function textGraph(
  checkpoint: Checkpoint,
  config: PipelineConfig,
  tokens: number,
  pruned?: PrunedWeights,
): Graph {
  return graphOf('text_encoder', [clipText(rootOf(checkpoint, 'textEncoder', pruned), config.text, tokens)]);
}

export function unetGraph(
  checkpoint: Checkpoint,
  config: PipelineConfig,
  call: UNetCall,
  pruned?: PrunedWeights,
): Graph {
  return graphOf('unet', [unet(rootOf(checkpoint, 'unet', pruned), config.unet, call)]);
}

/** @param height of the latents, as is `width` */
export function decoderGraph(checkpoint: Checkpoint, config: PipelineConfig, height: number, width: number): Graph {
  return graphOf('vae_decoder', [vaeDecoder(rootOf(checkpoint, 'vae'), config.vae, height, width)]);
}

function rootOf(
  checkpoint: Checkpoint,
  component: 'unet' | 'textEncoder' | 'vae',
  pruned: PrunedWeights = new Map(),
): Module {
  return new Module(new ParameterSource(checkpoint[component].weights, pruned));
}
