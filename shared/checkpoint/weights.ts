import type { SafetensorsFile, TensorEntry } from './safetensors-header.ts';

/** A tensor and the file it is in. `name` is the one in the file, which may differ from the canonical one it is found by. */
export interface WeightLocation extends TensorEntry {
  /** Real path, no symlinks. */
  readonly file: string;
}

/** The weights of one component: one file, or the shards of an index. */
export interface Weights {
  /** The variant in the file names, such as `fp16`; absent for the plain names. */
  readonly variant?: string;
  /** In the order of their names. `path` is the real path, no symlinks. */
  readonly files: readonly SafetensorsFile[];
  /** By canonical name: the one diffusers 0.29 or transformers 4.44 has in memory. */
  readonly tensors: ReadonlyMap<string, WeightLocation>;
}
