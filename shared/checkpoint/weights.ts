import { LetheError } from '../error/lethe-error.ts';
import { type Listing, realFile } from './checkpoint-layout.ts';
import { readSafetensors } from './read-safetensors.ts';
import type { SafetensorsFile, TensorEntry } from './safetensors-header.ts';
import { canonicalTensorName, type ComponentName } from './tensor-names.ts';
import { findWeightFiles, type WeightFiles } from './weight-files.ts';

/** A tensor and the file it is in. `name` is the one in the file, which may differ from the canonical one it is found by. */
export interface WeightLocation extends TensorEntry {
  /** Real path, no symlinks. */
  readonly file: string;
}

/** The weights of one component: one file, or the shards of an index. */
export interface Weights {
  /** The variant in the file names, such as `fp16`; absent for the plain names. */
  readonly variant?: string;
  /** In the order of their names in the component's folder. `path` is the real path, no symlinks. */
  readonly files: readonly SafetensorsFile[];
  /** By canonical name: the one diffusers 0.29 or transformers 4.44 has in memory. */
  readonly tensors: ReadonlyMap<string, WeightLocation>;
}

/**
 * Finds a component's weights and reads the headers of their files. Shards are read whole, as diffusers and
 * transformers do: a tensor that the index leaves out counts. Throws 'tensor-mismatch' if a tensor is not in the shard
 * that the index says, or if two stored tensors have one canonical name (the libraries would keep the last read).
 */
export async function openWeights(
  component: ComponentName,
  listing: Listing,
  variant: string | undefined,
): Promise<Weights> {
  const found = await findWeightFiles(component, listing, variant);
  const files = await Promise.all(found.paths.map(async (path) => readSafetensors(await realFile(path))));
  checkIndex(found, files);
  const tensors = canonicalTensors(component, files);
  return found.variant === undefined ? { files, tensors } : { variant: found.variant, files, tensors };
}

function checkIndex({ paths, shardOf }: WeightFiles, files: readonly SafetensorsFile[]): void {
  const tensorsOf = new Map(paths.map((path, i) => [path, files[i]?.tensors]));
  for (const [tensor, path] of shardOf ?? []) {
    if (tensorsOf.get(path)?.has(tensor) === true) continue;
    throw mismatch(path, tensor, 'the index of shards says that it is in this file, but it is not');
  }
}

function canonicalTensors(component: ComponentName, files: readonly SafetensorsFile[]): Weights['tensors'] {
  const tensors = new Map<string, WeightLocation>();
  for (const { path, tensors: stored } of files) {
    for (const entry of stored.values()) {
      const name = canonicalTensorName(component, entry.name);
      if (name === undefined) continue;
      const other = tensors.get(name);
      if (other !== undefined) {
        throw mismatch(path, entry.name, `it is there twice: as ${JSON.stringify(other.name)} in ${other.file} too`);
      }
      tensors.set(name, { ...entry, file: path });
    }
  }
  return tensors;
}

function mismatch(path: string, tensor: string, why: string): LetheError {
  return new LetheError('tensor-mismatch', {
    what: 'cannot open weights',
    where: `${path}, tensor ${JSON.stringify(tensor)}`,
    why,
    next: 'fetch the checkpoint again, or save it again with save_pretrained',
  });
}
