import { readSpan, withRegularFile } from '../../shared/checkpoint/regular-file.ts';
import { safetensorsInvalid } from '../../shared/checkpoint/safetensors-header.ts';
import type { Parameter } from '../../shared/model/graph/value.ts';
import { elementCount } from '../../shared/tensor/float-tensor.ts';
import { setPlaces } from '../../shared/tensor/bit-matrix.ts';

/**
 * The bytes of a pruned weight as a session is given them: its file's, with zeros in place of what is pruned (all bits 0
 * are 0 in every floating-point dtype). Only the session thread reads weights, one at a time.
 *
 * @throws LetheError `safetensors-invalid` if the file has become shorter.
 */
export async function readPruned({ name, type, location, pruned }: Parameter): Promise<Uint8Array> {
  const { file, offset, length } = location;
  const refuse = (why: string, cause?: unknown) => safetensorsInvalid(file, why, name, cause);
  const bytes = await withRegularFile(file, refuse, (handle) => readSpan(handle, offset, length));
  if (bytes.length < length) throw refuse('the file has shrunk since it was opened');
  if (pruned === undefined) return bytes;
  const shape = type.shape.map(Number);
  const size = length / elementCount(shape);
  for (const place of setPlaces(pruned.set, pruned.first, shape[0] ?? 0))
    bytes.fill(0, place * size, (place + 1) * size);
  return bytes;
}
