import { createHash } from 'node:crypto';
import { bfloat16Bits, halfBits, widenBfloat16, widenHalf } from '../../shared/checkpoint/half-precision.ts';
import type { TensorDtype } from '../../shared/checkpoint/tensor-dtype.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { type BitMatrix, setPlaces } from '../../shared/tensor/bit-matrix.ts';
import { TorchGenerator } from '../diffusion/noise/torch-generator.ts';

/**
 * What takes the place of pruned weights in a file. Zeros say where a concept was, and whoever knows that can bring it back
 * without data; noise does not. Whoever knows the seed can find the noise again, so it is as secret as the mask.
 */
export type Fill = { readonly kind: 'zero' } | { readonly kind: 'noise'; readonly seed: string };

/** Noise over the standard deviation of its row: seen to erase as well as zeros do, where the full deviation destroys a model. */
const noiseShare = 0.1;

/** Noise drawn at a time. */
const drawn = 256;

/** How numbers of a dtype are read, rounded and written. */
interface Format {
  readonly widen: (bytes: Uint8Array) => Float32Array;
  readonly round: (value: number) => number;
  readonly write: (bytes: DataView, place: number, value: number) => void;
  /** The smallest number above 0. */
  readonly least: number;
}

const roundHalf = (value: number): number => widenHalf(Uint16Array.of(halfBits(value)))[0] ?? 0;
const roundBfloat16 = (value: number): number => widenBfloat16(Uint16Array.of(bfloat16Bits(value)))[0] ?? 0;
const words = ({ buffer, byteOffset, byteLength }: Uint8Array): Uint16Array =>
  new Uint16Array(buffer.slice(byteOffset, byteOffset + byteLength));

const formats: Partial<Record<TensorDtype, Format>> = {
  F32: {
    widen: ({ buffer, byteOffset, byteLength }) => new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength)),
    round: Math.fround,
    write: (bytes, place, value) => {
      bytes.setFloat32(4 * place, value, true);
    },
    least: 2 ** -149,
  },
  F64: {
    // Numbers are drawn and compared in fp32, which the model computes in.
    widen: ({ buffer, byteOffset, byteLength }) =>
      Float32Array.from(new Float64Array(buffer.slice(byteOffset, byteOffset + byteLength))),
    round: Math.fround,
    write: (bytes, place, value) => {
      bytes.setFloat64(8 * place, value, true);
    },
    least: 2 ** -149,
  },
  F16: {
    widen: (bytes) => widenHalf(words(bytes)),
    round: roundHalf,
    write: (bytes, place, value) => {
      bytes.setUint16(2 * place, halfBits(value), true);
    },
    least: 2 ** -24,
  },
  BF16: {
    widen: (bytes) => widenBfloat16(words(bytes)),
    round: roundBfloat16,
    write: (bytes, place, value) => {
      bytes.setUint16(2 * place, bfloat16Bits(value), true);
    },
    least: 2 ** -133,
  },
};

/**
 * Fills the pruned entries of a matrix in place. Noise is normal, `noiseShare` of its row's deviation, drawn again where the
 * dtype would make it 0; a matrix in fp32 that was saved from a shorter dtype is given numbers of that one, or the digits
 * alone would tell which are new.
 *
 * @param name with the seed decides the noise
 * @param bytes of the stored matrix
 * @throws LetheError `tensor-mismatch` for a dtype that no model has
 */
export function fillPruned(name: string, dtype: TensorDtype, bytes: Uint8Array, set: BitMatrix, fill: Fill): void {
  const format = formats[dtype];
  if (format === undefined) throw unknownDtype(name, dtype);
  const { rows, columns } = set;
  const into = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (fill.kind === 'zero') {
    for (const place of setPlaces(set, 0, rows)) format.write(into, place, 0);
    return;
  }
  const values = format.widen(bytes);
  const { round, least } = roundingOf(dtype, format, values);
  const next = normals(`${fill.seed}\n${name}`);
  for (let row = 0; row < rows; row++) {
    const places = setPlaces(set, row, 1);
    if (places.length === 0) continue;
    const deviation = deviationOf(values.subarray(row * columns, (row + 1) * columns));
    // A row of equal weights has no deviation; the least number of its dtype still hides where the pruned ones are.
    const scale = Math.max(noiseShare * deviation, 2 * least);
    for (const place of places) {
      let value = 0;
      while (value === 0) value = round(scale * next());
      format.write(into, row * columns + place, value);
    }
  }
}

/** The shortest dtype that holds all values, where the stored one is fp32. */
function roundingOf(dtype: TensorDtype, stored: Format, values: Float32Array): Pick<Format, 'round' | 'least'> {
  if (dtype !== 'F32') return stored;
  for (const shorter of [formats.BF16, formats.F16])
    if (shorter !== undefined && values.every((value) => Object.is(shorter.round(value), value))) return shorter;
  return stored;
}

/** Of the finite ones. */
function deviationOf(row: Float32Array): number {
  const finite = row.filter(Number.isFinite);
  const mean = finite.reduce((sum, value) => sum + value, 0) / Math.max(1, finite.length);
  return Math.sqrt(finite.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, finite.length));
}

/** Normal numbers that a text decides. */
function normals(seed: string): () => number {
  const generator = new TorchGenerator(createHash('sha256').update(seed).digest().readBigUInt64LE());
  let block = new Float32Array();
  let at = 0;
  return () => {
    if (at === block.length) {
      block = Float32Array.from(generator.randn(drawn));
      at = 0;
    }
    at += 1;
    return block[at - 1] ?? 0;
  };
}

function unknownDtype(name: string, dtype: string): LetheError {
  return new LetheError('tensor-mismatch', {
    what: 'cannot export the tensor',
    where: name,
    why: `its dtype is ${dtype}, not one of ${Object.keys(formats).join(', ')}`,
    next: 'check that the weights belong to the model',
  });
}
