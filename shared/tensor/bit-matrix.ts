/**
 * One bit a weight of a matrix [rows, columns], packed: row i has bytes i·⌈columns/8⌉ on, and in it column j is bit j mod 8
 * of byte ⌊j/8⌋, counted from the least significant (numpy: packbits(..., axis=1, bitorder='little')). Bits past the last
 * column are 0.
 */
export interface BitMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly bytes: Uint8Array;
}

/** Bytes of one row. */
export function rowBytes(columns: number): number {
  return Math.ceil(columns / 8);
}

/** All bits 0. */
export function emptyBits(rows: number, columns: number): BitMatrix {
  return { rows, columns, bytes: new Uint8Array(rows * rowBytes(columns)) };
}

/** Whether the bit of a weight is set. */
export function hasBit({ columns, bytes }: BitMatrix, row: number, column: number): boolean {
  return (((bytes[row * rowBytes(columns) + (column >> 3)] ?? 0) >> (column & 7)) & 1) === 1;
}
