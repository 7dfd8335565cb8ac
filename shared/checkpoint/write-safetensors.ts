import type { TensorDtype } from './tensor-dtype.ts';

/** A tensor to be written, row-major; its dtype (F32, F64 or U8) is that of its array. */
export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array | Uint8Array;
}

/** Data starts at a multiple of this, so that a reader may map it (as the reference implementation pads). */
const alignment = 8;

/** A tensor as a header describes it. */
export interface DescribedTensor {
  readonly name: string;
  readonly dtype: TensorDtype;
  readonly shape: readonly number[];
  /** Bytes. */
  readonly length: number;
}

/** What stands before the tensors' bytes: 8 bytes of header length and the header as JSON. The tensors follow without gaps. */
export function safetensorsHeader(
  tensors: readonly DescribedTensor[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  for (const { name, dtype, shape, length } of tensors) {
    header[name] = { dtype, shape, data_offsets: [end, end + length] };
    end += length;
  }
  const json = Buffer.from(JSON.stringify(header));
  const headerLength = Math.ceil(json.length / alignment) * alignment;
  const bytes = new Uint8Array(8 + headerLength);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.fill(' '.charCodeAt(0), 8);
  bytes.set(json, 8);
  return bytes;
}

/** The bytes of a safetensors file. The same tensors and metadata in the same order give the same bytes. */
export function encodeSafetensors(
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const described = tensors.map(({ name, shape, data }) => {
    return { name, dtype: dtypeOf(data), shape, length: data.byteLength };
  });
  const header = safetensorsHeader(described, metadata);
  const bytes = new Uint8Array(header.length + described.reduce((sum, { length }) => sum + length, 0));
  bytes.set(header);
  let offset = header.length;
  for (const { data } of tensors) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    offset += data.byteLength;
  }
  return bytes;
}

function dtypeOf(data: NamedTensor['data']): 'F32' | 'F64' | 'U8' {
  if (data instanceof Float32Array) return 'F32';
  return data instanceof Float64Array ? 'F64' : 'U8';
}
