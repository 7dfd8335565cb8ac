import type { JsonObject } from '../checkpoint/json-file.ts';
import { pipelineSampleSize } from '../model/family/unet/sample-size.ts';
import type { Checkpoint } from '../checkpoint/open-checkpoint.ts';
import { LetheError } from '../error/lethe-error.ts';
import { contradiction, unsupported } from '../model/config.ts';
import { type ClipTextConfig, parseClipTextConfig } from '../model/family/clip/config.ts';
import { parseUNetConfig, type UNetConfig } from '../model/family/unet/config.ts';
import { parseVaeConfig, type VaeConfig } from '../model/family/vae/config.ts';
import type { ClipTokenizer } from '../model/tokenizer/clip-tokenizer.ts';
import { applyPipelineFixups, parseSchedulerConfig, type SchedulerConfig } from './scheduler/scheduler-config.ts';

/** What StableDiffusionPipeline is built from: the models' configs as it corrects them. */
export interface PipelineConfig {
  readonly text: ClipTextConfig;
  readonly unet: UNetConfig;
  readonly vae: VaeConfig;
  readonly scheduler: SchedulerConfig;
}

/** One part of a pipeline's config each, so that everything that is refused can be listed. */
export const pipelineParts: { readonly [Part in keyof PipelineConfig]: (from: Checkpoint) => PipelineConfig[Part] } = {
  text: (from) => parseClipTextConfig(from.textEncoder),
  unet: ({ unet: file }) => {
    const config = parseUNetConfig(file);
    return { ...config, sampleSize: pipelineSampleSize(config, file) };
  },
  vae: (from) => parseVaeConfig(from.vae),
  scheduler: (from) =>
    applyPipelineFixups(
      parseSchedulerConfig(from.schedulerConfig, from.schedulerConfigPath, classOf(from.modelIndex, 'scheduler')),
    ),
};

/** @throws LetheError `config-unsupported` or `config-invalid` for the first thing that is refused. */
export function parsePipelineConfig(checkpoint: Checkpoint): PipelineConfig {
  requireStableDiffusion(checkpoint);
  return {
    text: pipelineParts.text(checkpoint),
    unet: pipelineParts.unet(checkpoint),
    vae: pipelineParts.vae(checkpoint),
    scheduler: pipelineParts.scheduler(checkpoint),
  };
}

/** The classes that the pipeline's parts are loaded with. The scheduler's is read with its config. */
const partClasses: Readonly<Record<string, readonly string[]>> = {
  text_encoder: ['CLIPTextModel'],
  // CLIPTokenizerFast gives other ids: it keeps control characters and Chinese characters apart in other ways.
  tokenizer: ['CLIPTokenizer'],
  unet: ['UNet2DConditionModel'],
  vae: ['AutoencoderKL'],
};

/** @throws LetheError `config-unsupported` if model_index.json names a pipeline, or a class of one of its parts, that Lethe does not run. */
export function requireStableDiffusion({ modelIndex, modelIndexPath }: Checkpoint): void {
  const file = { config: modelIndex, configPath: modelIndexPath };
  if (modelIndex['_class_name'] !== 'StableDiffusionPipeline')
    throw unsupported(file, '_class_name', 'StableDiffusionPipeline');
  for (const [part, classes] of Object.entries(partClasses)) {
    const name = classOf(modelIndex, part);
    if (name !== undefined && !classes.includes(name)) throw unsupported(file, part, classes.join(' or '));
  }
}

/**
 * Models that are each in order and were not made for each other.
 *
 * @throws LetheError `config-invalid`, `config-unsupported`, or `tokenizer-invalid`.
 */
export function requireFit(
  checkpoint: Checkpoint,
  config: Omit<PipelineConfig, 'scheduler'>,
  tokenizer: ClipTokenizer,
): void {
  const { text, unet, vae } = config;
  if (text.width !== unet.crossAttentionWidth)
    throw contradiction(
      checkpoint.unet,
      'cross_attention_dim',
      `it is ${unet.crossAttentionWidth}, and the text encoder's hidden_size is ${text.width}`,
    );
  // Inpainting and editing models take more than the latents.
  if (unet.inChannels !== unet.outChannels)
    throw unsupported(checkpoint.unet, 'in_channels', `as many as out_channels, which is ${unet.outChannels}`);
  if (vae.latentChannels !== unet.outChannels)
    throw contradiction(
      checkpoint.vae,
      'latent_channels',
      `it is ${vae.latentChannels}, and the UNet's out_channels is ${unet.outChannels}`,
    );
  if (vae.imageChannels !== 3) throw unsupported(checkpoint.vae, 'out_channels', '3: red, green, blue');
  if (tokenizer.vocabularySize > text.vocabulary)
    throw new LetheError('tokenizer-invalid', {
      what: 'the tokenizer does not fit the text encoder',
      where: checkpoint.textEncoder.configPath,
      why: `the tokenizer gives ids up to ${tokenizer.vocabularySize - 1} and vocab_size is ${text.vocabulary}`,
      next: 'restore the tokenizer that came with the weights',
    });
}

/** The class that model_index.json names for a part, as [library, class]. */
function classOf(modelIndex: JsonObject, part: string): string | undefined {
  const entry = modelIndex[part];
  const [, name] = Array.isArray(entry) ? (entry as readonly unknown[]) : [];
  return typeof name === 'string' ? name : undefined;
}
