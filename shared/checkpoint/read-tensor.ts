import { LetheError } from '../error/lethe-error.ts';
import { widenBfloat16, widenHalf } from './half-precision.ts';
import { readSpan, withRegularFile } from './regular-file.ts';
import { type SafetensorsFile, safetensorsInvalid, type TensorEntry } from './safetensors-header.ts';

/** A stored tensor on the host: 16-bit floats are widened to fp32, everything else keeps its own width. */
export type HostTensor =
  | { readonly dtype: 'F32' | 'F16' | 'BF16'; readonly shape: readonly number[]; readonly data: Float32Array }
  | { readonly dtype: 'F64'; readonly shape: readonly number[]; readonly data: Float64Array }
  | { readonly dtype: 'I64'; readonly shape: readonly number[]; readonly data: BigInt64Array }
  | { readonly dtype: 'U64'; readonly shape: readonly number[]; readonly data: BigUint64Array }
  | { readonly dtype: 'I32'; readonly shape: readonly number[]; readonly data: Int32Array }
  | { readonly dtype: 'U32'; readonly shape: readonly number[]; readonly data: Uint32Array }
  | { readonly dtype: 'I16'; readonly shape: readonly number[]; readonly data: Int16Array }
  | { readonly dtype: 'U16'; readonly shape: readonly number[]; readonly data: Uint16Array }
  | { readonly dtype: 'I8'; readonly shape: readonly number[]; readonly data: Int8Array }
  | { readonly dtype: 'U8' | 'BOOL'; readonly shape: readonly number[]; readonly data: Uint8Array };

/**
 * Reads one tensor. Throws 'tensor-mismatch' if the file has none of that name, or its dtype has no array on the host
 * (8-bit and smaller floats, complex); 'safetensors-invalid' if the file has shrunk since its header was read.
 */
export async function readTensor(file: SafetensorsFile, name: string): Promise<HostTensor> {
  const entry = file.tensors.get(name);
  if (entry === undefined) throw mismatch(file.path, name, 'the file has no tensor of this name');
  return readTensorAt(file.path, entry);
}

/** Reads the tensor that lies at `entry` in the file at `path`: what `readTensor` does where the entry is at hand. */
export async function readTensorAt(path: string, entry: TensorEntry): Promise<HostTensor> {
  const length = entry.end - entry.begin;
  const refuse = (why: string, cause?: unknown) => safetensorsInvalid(path, why, entry.name, cause);
  return withRegularFile(path, refuse, async (file, size) => {
    // Asked before allocating: the header was checked against an earlier size.
    if (entry.end > size) throw refuse('the file has shrunk since it was opened');
    const bytes = await readSpan(file, entry.begin, length);
    if (bytes.length < length) throw refuse('the file shrinks while it is read');
    return decode(path, entry, bytes.buffer);
  });
}

/** The numbers of a floating-point tensor in fp32, as torch converts them; undefined for one of integers or truth values. */
export function floatsOf({ dtype, data }: HostTensor): Float32Array | undefined {
  if (dtype === 'F64') return Float32Array.from(data);
  return data instanceof Float32Array ? data : undefined;
}

/** The arrays are in the machine's byte order, which is the file's (little-endian) wherever onnxruntime-node runs. */
function decode(path: string, { name, dtype, shape }: TensorEntry, buffer: ArrayBuffer): HostTensor {
  switch (dtype) {
    case 'F32':
      return { dtype, shape, data: new Float32Array(buffer) };
    case 'F16':
      return { dtype, shape, data: widenHalf(new Uint16Array(buffer)) };
    case 'BF16':
      return { dtype, shape, data: widenBfloat16(new Uint16Array(buffer)) };
    case 'F64':
      return { dtype, shape, data: new Float64Array(buffer) };
    case 'I64':
      return { dtype, shape, data: new BigInt64Array(buffer) };
    case 'U64':
      return { dtype, shape, data: new BigUint64Array(buffer) };
    case 'I32':
      return { dtype, shape, data: new Int32Array(buffer) };
    case 'U32':
      return { dtype, shape, data: new Uint32Array(buffer) };
    case 'I16':
      return { dtype, shape, data: new Int16Array(buffer) };
    case 'U16':
      return { dtype, shape, data: new Uint16Array(buffer) };
    case 'I8':
      return { dtype, shape, data: new Int8Array(buffer) };
    case 'U8':
    case 'BOOL':
      return { dtype, shape, data: new Uint8Array(buffer) };
    default:
      throw mismatch(path, name, `its dtype is ${dtype}, which cannot be read on the host`);
  }
}

function mismatch(path: string, name: string, why: string): LetheError {
  return new LetheError('tensor-mismatch', {
    what: 'cannot read tensor',
    where: `${path}, tensor ${JSON.stringify(name)}`,
    why,
    next: 'check that this file belongs to the model it is used with',
  });
}
