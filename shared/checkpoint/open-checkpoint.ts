import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { LetheError } from '../error/lethe-error.ts';
import { checkpointLayout, contents, type Listing, listDirectory, requiredFile } from './checkpoint-layout.ts';
import { type JsonObject, readJsonFile } from './json-file.ts';
import type { ComponentName } from './tensor-names.ts';
import { findTokenizerFiles, type TokenizerFiles } from './tokenizer-files.ts';
import { isPlainFileName, pickledName } from './weight-files.ts';
import { openWeights, type Weights } from './weights.ts';

/** One model of a checkpoint. */
export interface Component {
  readonly name: ComponentName;
  readonly config: JsonObject;
  /** For error messages about `config`. */
  readonly configPath: string;
  readonly weights: Weights;
}

/** An opened diffusers directory: configs are parsed, headers of weights are checked, no weight is read. */
export interface Checkpoint {
  /** As given, made absolute. */
  readonly directory: string;
  readonly modelIndex: JsonObject;
  readonly modelIndexPath: string;
  readonly unet: Component;
  readonly textEncoder: Component;
  readonly vae: Component;
  readonly schedulerConfig: JsonObject;
  readonly schedulerConfigPath: string;
  readonly tokenizer: TokenizerFiles;
}

const fromSingleFile =
  'convert it to a directory in an environment you trust with it: StableDiffusionPipeline.from_single_file(FILE).save_pretrained(DIRECTORY)';

/**
 * Opens the checkpoint in `directory`. `variant` asks for weights such as `fp16`: each component that has them uses them,
 * the others use their plain ones, as in diffusers; 'checkpoint-layout' if none has. Which pipeline class and which
 * models it is for is left to the reader of `modelIndex` and the configs.
 *
 * Throws 'checkpoint-layout' (what was looked for, where, what is there), 'checkpoint-pickled', 'config-invalid',
 * 'safetensors-invalid', 'tensor-mismatch'.
 */
export async function openCheckpoint(directory: string, variant?: string): Promise<Checkpoint> {
  if (variant !== undefined && !isPlainFileName(variant)) {
    throw new LetheError('usage', {
      what: 'cannot open checkpoint',
      why: `the variant ${JSON.stringify(variant)} cannot be part of a file name`,
      next: 'name a variant such as fp16',
    });
  }
  const root = resolve(directory);
  const listing = await listRoot(root);
  const modelIndexPath = requiredFile(listing, 'model_index.json');
  const schedulerConfigPath = await requiredPart(root, 'scheduler', 'scheduler_config.json');
  const [modelIndex, schedulerConfig, unet, textEncoder, vae, tokenizer] = await Promise.all([
    readJsonFile(modelIndexPath),
    readJsonFile(schedulerConfigPath),
    openComponent(root, 'unet', variant),
    openComponent(root, 'text_encoder', variant),
    openComponent(root, 'vae', variant),
    findTokenizerFiles(join(root, 'tokenizer')),
  ]);
  if (variant !== undefined && ![unet, textEncoder, vae].some(({ weights }) => weights.variant === variant)) {
    throw checkpointLayout(root, `no component has weights of the variant ${variant}`, 'leave the variant out');
  }
  return {
    directory: root,
    modelIndex,
    modelIndexPath,
    unet,
    textEncoder,
    vae,
    schedulerConfig,
    schedulerConfigPath,
    tokenizer,
  };
}

async function openComponent(root: string, name: ComponentName, variant: string | undefined): Promise<Component> {
  const listing = await listDirectory(join(root, name), `the component ${name}`);
  const configPath = requiredFile(listing, 'config.json');
  const [config, weights] = await Promise.all([readJsonFile(configPath), openWeights(name, listing, variant)]);
  return { name, config, configPath, weights };
}

async function requiredPart(root: string, folder: string, name: string): Promise<string> {
  return requiredFile(await listDirectory(join(root, folder), `the component ${folder}`), name);
}

/** Tells the things that are often given for a checkpoint's directory from one that is merely incomplete. */
async function listRoot(root: string): Promise<Listing> {
  const found = await stat(root).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw checkpointLayout(root, why, undefined, cause);
  });
  if (!found.isDirectory()) {
    if (pickledName.test(root)) {
      throw new LetheError('checkpoint-pickled', {
        what: 'cannot open checkpoint',
        where: root,
        why: 'it is a pickle, and reading a pickle runs what is in it',
        next: fromSingleFile,
      });
    }
    throw checkpointLayout(root, 'it is a single file; a diffusers directory is needed', fromSingleFile);
  }
  const listing = await listDirectory(root, 'the checkpoint');
  if (listing.names.includes('model_index.json')) return listing;
  const why = `there is no model_index.json; ${contents(listing)}`;
  if (listing.names.includes('snapshots')) {
    throw checkpointLayout(root, why, 'this is the root of a hub cache: name one of the directories in its snapshots/');
  }
  const single = listing.names.some((name) => /\.(?:safetensors|ckpt)$/.test(name));
  throw checkpointLayout(root, why, single ? fromSingleFile : undefined);
}
