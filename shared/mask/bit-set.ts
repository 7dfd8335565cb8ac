import { type BitMatrix, rowBytes } from '../tensor/bit-matrix.ts';
import { maskMismatch } from './mask-mismatch.ts';

/** Set bits of every byte. */
const ones = Uint8Array.from({ length: 256 }, (_, byte) => {
  let count = 0;
  for (let left = byte; left > 0; left >>= 1) count += left & 1;
  return count;
});

/** Weights in a or b. @throws LetheError `mask-mismatch` for another shape, as all of two sets here. */
export function union(a: BitMatrix, b: BitMatrix): BitMatrix {
  return combined(a, b, (bytes, other) => {
    for (let i = 0; i < bytes.length; i++) bytes[i] = (bytes[i] ?? 0) | (other[i] ?? 0);
  });
}

/** Weights in a and not in b. */
export function difference(a: BitMatrix, b: BitMatrix): BitMatrix {
  return combined(a, b, (bytes, other) => {
    for (let i = 0; i < bytes.length; i++) bytes[i] = (bytes[i] ?? 0) & ~(other[i] ?? 0);
  });
}

/** Weights in the set. */
export function count({ bytes }: BitMatrix): number {
  let sum = 0;
  for (const byte of bytes) sum += ones[byte] ?? 0;
  return sum;
}

/** Weights in both. */
export function overlap(a: BitMatrix, b: BitMatrix): number {
  checkShapes(a, b);
  let sum = 0;
  for (let i = 0; i < a.bytes.length; i++) sum += ones[(a.bytes[i] ?? 0) & (b.bytes[i] ?? 0)] ?? 0;
  return sum;
}

/** Share of the matrix that is in the set; 0 for an empty matrix. */
export function density(set: BitMatrix): number {
  return count(set) / Math.max(1, set.rows * set.columns);
}

/** Whether bits past the last column are set, or bytes are missing: no set of ours. */
export function isMalformed({ rows, columns, bytes }: BitMatrix): boolean {
  const stride = rowBytes(columns);
  if (bytes.length !== rows * stride) return true;
  const past = columns % 8 === 0 ? 0 : (0xff << (columns % 8)) & 0xff;
  if (past === 0) return false;
  for (let at = stride - 1; at < bytes.length; at += stride) if (((bytes[at] ?? 0) & past) !== 0) return true;
  return false;
}

function combined(a: BitMatrix, b: BitMatrix, change: (bytes: Uint8Array, other: Uint8Array) => void): BitMatrix {
  checkShapes(a, b);
  // A copy whatever it is: slice() of a Buffer is a view, and `a` would change.
  const bytes = new Uint8Array(a.bytes);
  change(bytes, b.bytes);
  return { rows: a.rows, columns: a.columns, bytes };
}

function checkShapes(a: BitMatrix, b: BitMatrix): void {
  if (a.rows !== b.rows || a.columns !== b.columns)
    throw maskMismatch('shapes', `one is of [${a.rows}, ${a.columns}], the other of [${b.rows}, ${b.columns}]`);
}
