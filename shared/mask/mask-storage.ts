import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import { maskInvalid, maskName } from './mask-file.ts';

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

/** First bytes of a compressed mask. As a safetensors header's length they would be far beyond any limit. */
const magic = Buffer.from('LETHEMZ1');
const prefixLength = magic.length + 8;

/** Compressed bytes are kept if they are at most this share of the others: below it the time to inflate is not worth it. */
const worthwhile = 0.9;

/** DEFLATE makes at most 1,032 bytes of one. */
const largestRatio = 1032;

/** Bytes of the largest mask read if the caller knows no smaller limit. SDXL's feed-forward layers with ten steps take 0.6 GB. */
export const maskSizeLimit = 2 ** 31 - 1;

/**
 * A mask's canonical bytes as they are stored: compressed where it pays, behind `LETHEMZ1` and their length as a
 * little-endian u64. The name stays that of the canonical bytes.
 */
export async function compressMask(bytes: Uint8Array): Promise<Uint8Array> {
  const packed = await deflate(bytes, { level: 6 });
  if (prefixLength + packed.length > worthwhile * bytes.length) return bytes;
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  return new Uint8Array(Buffer.concat([magic, length, packed]));
}

/**
 * The canonical bytes of a stored mask. Refused before memory is taken: a length over the limit, or more than the
 * compressed bytes can make. Refused while inflating: more than that length.
 *
 * @param name what the bytes must hash to.
 * @param limit bytes that a mask of the checkpoint can have at most.
 * @throws LetheError `mask-invalid`.
 */
export async function decompressMask(
  stored: Uint8Array,
  name: string,
  limit: number = maskSizeLimit,
): Promise<Uint8Array> {
  const bytes = await inflated(Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength), limit);
  const found = maskName(bytes);
  if (found !== name) throw maskInvalid(`mask ${name}`, `its bytes hash to ${found}`);
  return bytes;
}

async function inflated(stored: Buffer, limit: number): Promise<Uint8Array> {
  if (!stored.subarray(0, magic.length).equals(magic)) {
    if (stored.length > limit) throw maskInvalid('size', `it has ${stored.length} bytes; at most ${limit} are read`);
    return stored;
  }
  if (stored.length < prefixLength) throw maskInvalid('size', 'it ends before its length');
  const declared = stored.readBigUInt64LE(magic.length);
  const packed = stored.subarray(prefixLength);
  if (declared > BigInt(limit))
    throw maskInvalid('size', `it claims ${declared.toString()} bytes; at most ${limit} are read`);
  const length = Number(declared);
  if (length === 0 || length > packed.length * largestRatio)
    throw maskInvalid('size', `it claims ${length} bytes, which ${packed.length} compressed ones cannot make`);
  // Bytes after the end of the stream would be dropped in silence; the engine tells how many it read.
  const { buffer, engine } = (await inflate(packed, { maxOutputLength: length, info: true }).catch((cause: unknown) => {
    throw maskInvalid('bytes', cause instanceof Error ? cause.message : String(cause), cause);
  })) as unknown as { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } };
  if (buffer.length !== length) throw maskInvalid('size', `it claims ${length} bytes and makes ${buffer.length}`);
  if (engine.bytesWritten !== packed.length) throw maskInvalid('size', 'bytes follow its end');
  return buffer;
}
