/** A tensor to be written, row-major; its dtype (F32, F64 or U8) is that of its array. */
export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array | Uint8Array;
}

/** Data starts at a multiple of this, so that a reader may map it (as the reference implementation pads). */
const alignment = 8;

/**
 * The bytes of a safetensors file: 8 bytes of header length, the header as JSON, the tensors' bytes without gaps. The
 * same tensors and metadata in the same order give the same bytes.
 */
export function encodeSafetensors(
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  for (const { name, shape, data } of tensors) {
    const begin = end;
    end += data.byteLength;
    header[name] = { dtype: dtypeOf(data), shape, data_offsets: [begin, end] };
  }
  const json = Buffer.from(JSON.stringify(header));
  const headerLength = Math.ceil(json.length / alignment) * alignment;

  const bytes = new Uint8Array(8 + headerLength + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.fill(' '.charCodeAt(0), 8, 8 + headerLength);
  bytes.set(json, 8);
  let offset = 8 + headerLength;
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
