import type { JsonObject } from './json-file.ts';
import type { TokenizerFiles } from './tokenizer-files.ts';
import type { Weights } from './weights.ts';

/** Folders of a diffusers checkpoint that hold a config and weights. */
export type ComponentName = 'unet' | 'text_encoder' | 'vae';

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

/** Opens the checkpoint in `directory`; `variant` asks for weights of that variant (`fp16`) and no others. */
export declare function openCheckpoint(directory: string, variant?: string): Promise<Checkpoint>;
