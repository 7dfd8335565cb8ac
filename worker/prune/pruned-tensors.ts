import type { Checkpoint, Component } from '../../shared/checkpoint/open-checkpoint.ts';
import { readSpan, withRegularFile } from '../../shared/checkpoint/regular-file.ts';
import { safetensorsInvalid } from '../../shared/checkpoint/safetensors-header.ts';
import type { WeightLocation } from '../../shared/checkpoint/weights.ts';
import type { PrunedWeights } from '../../shared/model/module.ts';
import type { BitMatrix } from '../../shared/tensor/bit-matrix.ts';
import { type Fill, fillPruned } from './fill-pruned.ts';
import type { Pruning } from './pruning.ts';

/** A weight that a mask changes, and where it is stored. */
export interface PrunedTensor {
  /** `unet.` or `text_encoder.` and its stored name. */
  readonly name: string;
  readonly component: Component;
  readonly location: WeightLocation;
  readonly set: BitMatrix;
}

/** The weights that a mask changes at whatever step, in the order of their names. */
export function prunedTensors(checkpoint: Checkpoint, pruning: Pruning): readonly PrunedTensor[] {
  return [
    ...ofComponent(checkpoint.unet, pruning.unet),
    ...ofComponent(checkpoint.textEncoder, pruning.textEncoder),
  ].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The bytes of a pruned weight, filled. @throws LetheError `safetensors-invalid` if its file is not what it was. */
export async function filledBytes({ name, location, set }: PrunedTensor, fill: Fill): Promise<Uint8Array> {
  const { file, begin, end, dtype } = location;
  const refuse = (why: string, cause?: unknown) => safetensorsInvalid(file, why, location.name, cause);
  const bytes = await withRegularFile(file, refuse, (handle) => readSpan(handle, begin, end - begin));
  if (bytes.length < end - begin) throw refuse('the file has shrunk since it was opened');
  fillPruned(name, dtype, bytes, set, fill);
  return bytes;
}

function ofComponent(component: Component, pruned: PrunedWeights): readonly PrunedTensor[] {
  return [...pruned].flatMap(([weight, change]) => {
    const location = component.weights.tensors.get(weight);
    const set = change.kind === 'always' ? change.set : change.sets.at(-1);
    if (location === undefined || set === undefined || set.bytes.every((byte) => byte === 0)) return [];
    return [{ name: `${component.name}.${location.name}`, component, location, set }];
  });
}
